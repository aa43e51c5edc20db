# SPDX-License-Identifier: MIT
"""The real binary under test: started with a listening socket of ours, ready by sd_notify."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

from . import processes
from .client import Client, Response, get
from .paths import BINARY
from .sanitizers import FOUND
from .waiting import LONG, wait_until

BAD_LINE = re.compile(r"\[(ERROR|CRITICAL)\]|terminate called|Traceback")

# The end of a request may come upon a destructor, where Python drops every exception.
DROPPED = re.compile(
    r"^Exception ignored in.*\n(?:Traceback.*\n)?(?: .*\n)*_unicoro\.(?:RequestCancelled|CallEnded)\b.*\n", re.MULTILINE
)

# What no test may expect.
NEVER = re.compile(r"Sanitizer|runtime error:")

# What a test inherits must not change what it tests.
FOREIGN = ("UNICORO_CMD_ARGS", "WEB_CONCURRENCY", "PORT", "FORWARDED_ALLOW_IPS", "SENDFILE",
           "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "VIRTUAL_ENV")


def with_what_follows(lines: list[str], at: int) -> str:
    """A line that stands for more, such as a traceback's first, with the end of that: all in one line,
    because a report may show no more than the first ones."""
    end = at + 1
    while end < len(lines) and lines[end].startswith(" "):
        end += 1
    return " | ".join(line.strip() for line in (*lines[max(at - 1, 0):at + 1], *lines[max(at + 1, end - 4):end + 1]))


def clean_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in FOREIGN}


class Notices:
    """A socket as NOTIFY_SOCKET, and what has come to it."""

    def __init__(self, path: Path):
        self.path = str(path)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        self.seen: list[str] = []

    def close(self) -> None:
        self.sock.close()

    def receive(self) -> str:
        return self.sock.recv(4096).decode()

    def wait_for(self, line: str, child: processes.Child | None = None, timeout: float = LONG) -> None:
        """Waits for a datagram with this line; fails at once when `child` ends before."""
        deadline = time.monotonic() + timeout
        poller = select.poll()
        poller.register(self.sock, select.POLLIN)
        if child is not None:
            poller.register(child.fileno(), select.POLLIN)
        while True:
            left = deadline - time.monotonic()
            events = dict(poller.poll(max(0, left) * 1000))
            if self.sock.fileno() in events:
                text = self.receive()
                self.seen.append(text)
                if line in text.splitlines():
                    return
            elif events:
                raise AssertionError(f"the server ended before {line!r}")
            elif left <= 0:
                raise AssertionError(f"no {line!r} within {timeout} s; got {self.seen}")


def listening_socket(backlog: int = 2048) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    sock.listen(backlog)
    return sock


def is_a(role: str, pid: int) -> bool:
    try:
        return processes.title(pid).startswith(f"unicoro: {role}")
    except OSError:
        return False


class Server:
    """One run of the binary. Everything it writes goes to files of its own folder."""

    def __init__(
        self,
        folder: Path,
        args: list[str],
        *,
        config: dict | None = None,
        env: dict[str, str] | None = None,
        listen: bool = True,
        limits: dict[str, str] | None = None,
        sockets: list[socket.socket] | None = None,
        listen_pid: str = "$$",
        command: list[str] | None = None,
    ):
        """`command` is what starts the server, if not the binary."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.stdout_path = folder / "stdout"
        self.stderr_path = folder / "stderr"
        self.error_log = self.stderr_path
        self.allowed: list[re.Pattern] = []
        self.notices = Notices(folder / "notify")
        if sockets is None:
            sockets = [listening_socket()] if listen else []
        self.address_passed = sockets[0].getsockname() if sockets else None
        if config is not None:
            (folder / "unicoro.json").write_text(json.dumps(config))
            args = ["-c", str(folder / "unicoro.json"), *args]
        full_env = clean_environment() | {"NOTIFY_SOCKET": self.notices.path} | (env or {})
        out = os.open(self.stdout_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        err = os.open(self.stderr_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            self.child = processes.spawn(
                [*(command or [str(BINARY)]), *args],
                env=full_env,
                cwd=str(folder),
                stdout=out,
                stderr=err,
                fds=[each.fileno() for each in sockets],
                limits=limits,
                listen_pid=listen_pid,
            )
        finally:
            os.close(out)
            os.close(err)
        # Only the server holds them from now on, so that clients see its end.
        for each in sockets:
            each.close()
        self.fds_when_ready: int | None = None
        self.workers_when_ready = 0

    # what it is

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def address(self):
        """Of the socket it was given; else the first in the log, of those it bound itself."""
        return self.address_passed or self.addresses()[0]

    def addresses(self) -> list:
        """What `Listening at:` names, as (host, port) or path."""
        found = []
        for line in re.findall(r"Listening at: (.*) \(\d+\)", self.log()):
            for text in re.split(r", ?", line):
                match = re.fullmatch(r"https?://\[?([^\]]*?)\]?:(\d+)", text)
                found.append((match[1], int(match[2])) if match else text.removeprefix("unix:"))
        return found

    def log(self) -> str:
        try:
            return self.error_log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def output(self) -> str:
        return self.stdout_path.read_text(errors="replace")

    def workers(self) -> list[int]:
        """Pids of the living workers, oldest first."""
        return [pid for pid in self.children() if not is_a("preloader", pid) and not is_a("monitor", pid)]

    def children(self) -> list[int]:
        return [pid for pid in processes.children(self.pid) if processes.alive(pid)]

    def monitors(self) -> list[int]:
        """Those that listen at --admin-bind: one, but while another one takes its place."""
        return [pid for pid in self.children() if is_a("monitor", pid)]

    def preloaders(self) -> list[int]:
        """Those that have the application of --preload, and fork the workers."""
        return [pid for pid in self.children() if is_a("preloader", pid)]

    # waiting

    def wait_ready(self, timeout: float = LONG) -> "Server":
        try:
            self.notices.wait_for("READY=1", self.child, timeout)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self.log()}") from None
        self.fds_when_ready = processes.fd_count(self.pid)
        self.workers_when_ready = len(self.workers())
        return self

    def wait_log(self, pattern: str, timeout: float = LONG) -> re.Match:
        found = re.compile(pattern)
        try:
            return wait_until(lambda: found.search(self.log()), f"{pattern!r} in the log", timeout)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self.log()}") from None

    def wait_workers(self, count: int, timeout: float = LONG) -> list[int]:
        return wait_until(
            lambda: (pids := self.workers()) is not None and len(pids) == count and (pids or [0]),
            f"{count} workers",
            timeout,
        )

    def wait_exit(self, timeout: float = LONG) -> int:
        return self.child.wait(timeout)

    # talking

    def send(self, number: int) -> None:
        self.child.send(number)

    def client(self, **more) -> Client:
        return Client(self.address, **more)

    def get(self, target: str = "/", **more) -> Response:
        return get(self.address, target, **more)

    def allow(self, pattern: str) -> None:
        """Lines of the error log that match may be errors in this test."""
        self.allowed.append(re.compile(pattern))

    # the end

    def stop(self, timeout: float = LONG) -> int:
        """TERM, and the exit code."""
        self.send(signal.SIGTERM)
        return self.wait_exit(timeout)

    def check_while_running(self) -> None:
        """No zombies, and as many descriptors as with this many workers when it became ready."""
        if not self.child.running or self.fds_when_ready is None:
            return
        wait_until(
            lambda: not [p for p in processes.children(self.pid) if processes.state(p) == "Z"],
            "the master reaps its workers",
        )
        if len(self.workers()) == self.workers_when_ready:
            wait_until(
                lambda: processes.fd_count(self.pid) <= self.fds_when_ready,
                f"the master is back at {self.fds_when_ready} descriptors",
            )

    def check_log(self) -> None:
        written = self.log()
        if self.error_log != self.stderr_path:
            written += self.stderr_path.read_text(errors="replace")
        lines = DROPPED.sub("", written).splitlines()
        bad = [
            with_what_follows(lines, at)
            for at, line in enumerate(lines)
            if NEVER.search(line)
            or BAD_LINE.search(line) and not any(known.search(line) for known in self.allowed)
        ]
        FOUND.extend(line for line in bad if NEVER.search(line))
        assert not bad, "\n".join(["lines that this test does not allow:", *bad, "in this error log:", *lines[-200:]])

    def destroy(self) -> None:
        """Ends whatever still runs, by force."""
        self.child.destroy()
        self.notices.close()


def run(
    args: list[str],
    folder: Path,
    *,
    env: dict[str, str] | None = None,
    timeout: float = 2 * LONG,
    command: list[str] | None = None,
):
    """Runs the binary, or `command`, to its end, without sockets; for commands that answer and exit."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [*(command or [str(BINARY)]), *args],
        cwd=folder,
        env=clean_environment() | (env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    sanitized = NEVER.search(done.stderr)
    if sanitized:
        FOUND.append(done.stderr)
    assert not sanitized, done.stderr
    return done
