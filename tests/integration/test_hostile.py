# SPDX-License-Identifier: MIT
"""Surroundings that go wrong: no descriptors, no processes, full disks, readers of logs that stop to read, clocks
that jump, processes and machines that stand still, thousands of idle connections."""

import contextlib
import email.utils
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import processes
from harness.client import Client
from harness.paths import BINARY, BUILD, HELLO
from harness.theirs import only_as_root
from harness.waiting import wait_until

APPS = Path(__file__).parent / "python_apps"
PYTHON = ("--pythonpath", APPS, "--python", sys.executable)
WSGI = (*PYTHON, "stop_probe:wsgi")
WALL_CLOCK = BUILD / "tests" / "integration" / "native_apps" / "libwall_clock.so"


# processes and descriptors


def set_descriptors(pid: int, number: int) -> None:
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (number, hard))


def serves(server) -> bool:
    """Some time later, too: the master tries again and goes on."""
    return all(server.get("/").status == 200 for _ in range(20))


@pytest.mark.needs_plain_build("its look at the kind of an object needs descriptors of its own")
def test_no_descriptors_for_a_new_worker(start):
    server = start("-w", "2", HELLO)
    before, _ = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    set_descriptors(server.pid, 3)
    server.allow("Cannot start a worker: Too many open files|SIGKILL")
    processes.kill(server.workers()[0], signal.SIGKILL)
    server.wait_log("Cannot start a worker: Too many open files")
    server.wait_log(r"times in a row\): the next one starts in 0\.[1-9]")
    assert serves(server)
    set_descriptors(server.pid, before)
    server.wait_workers(2)
    assert serves(server)


def test_no_process_for_a_new_worker(start, few_processes):
    server = start("-w", "2", HELLO)
    members = [server.pid, *server.workers()]
    threads = sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in members)
    group = few_processes(members, threads)
    server.allow("Cannot start a worker: Resource temporarily unavailable")
    server.send(signal.SIGTTIN)
    server.wait_log("Cannot start a worker: Resource temporarily unavailable")
    server.wait_log(r"times in a row\): the next one starts in 0\.[1-9]")
    assert serves(server)
    # A reload finds no room for its first worker: what serves goes on.
    server.allow("Reload failed")
    server.send(signal.SIGHUP)
    server.wait_log("Reload failed: 3 new workers in a row did not boot")
    assert serves(server)
    (group / "pids.max").write_text("max")
    server.wait_workers(3)
    server.send(signal.SIGTTOU)
    server.wait_workers(2)


# logs


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], check=False).returncode != 0:
        pytest.skip("a file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@only_as_root
@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"]])
def test_a_full_disk_loses_lines_and_says_how_many(small_disk, start, worker):
    access, error = small_disk / "access.log", small_disk / "error.log"
    server = start("--access-logfile", access, "--error-logfile", error, *worker, *WSGI)
    server.error_log = error
    filler = small_disk / "filler"
    with contextlib.suppress(OSError), open(filler, "wb") as file:
        while True:
            file.write(b"x" * 4096)
            file.flush()
    # What is left of a page holds some dozens of lines.
    for _ in range(300):
        assert server.get("/").status == 200
    filler.unlink()
    assert server.get("/").status == 200
    assert server.get("/last").status == 200
    wait_until(lambda: '"GET /last' in access.read_text(), "lines are written again")
    said = server.wait_log(r"access log '.*' works again; lost lines: (\d+)")
    assert int(said[1]) >= 20


class Reader:
    """A pipe (or what the journal gives, a socket) as standard output and error, read when it is told to."""

    def __init__(self, folder: Path, kind: str):
        if kind == "pipe":
            self.end, self.given = os.pipe()
        else:
            ours, theirs = socket.socketpair()
            self.end, self.given = ours.detach(), theirs.detach()
        os.set_blocking(self.end, False)
        os.set_inheritable(self.given, True)
        self.text = b""

    def read(self) -> str:
        """What is there now."""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.end, 65536):
                self.text += piece
        return self.text.decode()

    def command(self) -> list[str]:
        """The server with its streams on it."""
        return ["sh", "-c", f'exec "$0" "$@" >/proc/{os.getpid()}/fd/{self.given} 2>&1', str(BINARY)]


def started_on(start, reader, *args):
    """The streams of the server are what the test has; what it logs comes there alone."""
    out = os.dup(reader.given)
    original = processes.spawn

    def spawn(argv, **more):
        return original(argv, **{**more, "stdout": out, "stderr": out})

    processes.spawn = spawn
    try:
        return start(*args)
    finally:
        processes.spawn = original
        os.close(out)


@pytest.mark.parametrize("kind", ["pipe", "socket"])
@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"], ["--threads", "3"], ["native"]])
def test_a_reader_that_stops_holds_up_nobody(start, tmp_path, worker, kind):
    reader = Reader(tmp_path, kind)
    what = [HELLO] if worker == ["native"] else [*worker, *WSGI]
    server = started_on(
        start, reader, "--access-logfile", "-", "--log-level", "debug", "-w", "2", "--keep-alive", "60", *what
    )
    os.close(reader.given)
    longest, count = 0.0, 12_000
    with server.client() as one, server.client() as other:
        for number in range(count // 20):
            began = time.monotonic()
            for client in (one, other):
                client.send(b"GET /%06d HTTP/1.1\r\nHost: a\r\n\r\n" % number * 10)
            for client in (one, other):
                for _ in range(10):
                    assert client.response().status in (200, 404)
            longest = max(longest, time.monotonic() - began)
        assert longest < 2
        # The master must not be held up either.
        server.send(signal.SIGTTIN)
        server.wait_workers(3)
        seen = wait_until(
            lambda: (found := lost_lines(reader.read())) and (found[0] + found[1] >= count) and found,
            "every line has been written or counted",
        )
        assert seen[0] + seen[1] == count
        assert seen[1] > 0
        assert one.get("/afterwards").status in (200, 404)
        wait_until(lambda: "GET /afterwards" in reader.read(), "lines come again")
    server.send(signal.SIGTTOU)
    server.wait_workers(2)
    for line in reader.read().splitlines():
        assert re.match(r"\[\d{4}-.*\] \[\d+\] \[[A-Z]+\] |127\.0\.0\.1 - - \[.*\] \"", line), line
    assert server.stop() == 0
    assert "Shutting down: Master" in reader.read()
    os.close(reader.end)


def lost_lines(text: str) -> tuple[int, int]:
    """Access lines that were written, and that were counted as lost."""
    lost = re.findall(r"access log on stdout works again; lost lines: (\d+)", text)
    return len(re.findall(r'"GET /\d{6} HTTP', text)), sum(map(int, lost))


def test_a_reader_that_is_gone(start, tmp_path):
    reader = Reader(tmp_path, "pipe")
    server = started_on(start, reader, "--access-logfile", "-", *WSGI)
    os.close(reader.given)
    os.close(reader.end)
    assert serves(server)
    server.send(signal.SIGHUP)
    wait_until(lambda: serves(server), "it serves")
    assert server.stop() == 0


@only_as_root
def test_logrotate_with_unprivileged_workers(start):
    """As logrotate does it: renames and signals, or copies and truncates; no line is lost."""
    folder = Path(subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True).stdout.strip())
    folder.chmod(0o755)
    try:
        access, error = folder / "access.log", folder / "error.log"
        server = start("-u", "nobody", "-w", "2", "--access-logfile", access, "--error-logfile", error, HELLO)
        server.error_log = error
        (owner,) = {Path(f"/proc/{pid}").stat().st_uid for pid in server.workers()}
        assert owner != 0
        for round_ in range(3):
            for number in range(20):
                assert server.get(f"/?{round_}.{number}").status == 200
            for path in (access, error):
                path.rename(path.with_suffix(f".{round_}"))
            server.send(signal.SIGUSR1)
            wait_until(lambda: access.exists() and error.exists(), "the files are made anew")
            assert access.stat().st_uid == owner
            wait_until(lambda: server.get("/probe").status and access.stat().st_size > 0, "lines come there")
        whole = "".join(path.read_text() for path in folder.glob("access.*"))
        for round_ in range(3):
            for number in range(20):
                assert whole.count(f'"GET /?{round_}.{number} ') == 1
        access.with_suffix(".copy").write_bytes(access.read_bytes())
        os.truncate(access, 0)
        assert server.get("/truncated").status
        wait_until(lambda: "/truncated" in access.read_text(), "the line behind the truncation")
        # Nothing but lines: a file that is not appended to would have a hole in front.
        assert access.read_bytes().startswith(b"127.0.0.1")
    finally:
        subprocess.run(["rm", "-r", folder], check=True)


# time


@pytest.mark.needs_plain_build("they must be preloaded first, and so must the clock")
def test_the_wall_clock_jumps(start, tmp_path):
    shift = tmp_path / "offset"
    shift.write_bytes(struct.pack("q", 0))
    # In place: it is mapped by the server.
    file = os.open(shift, os.O_WRONLY)
    server = start(
        "-w", "2", "--timeout", "3", "--keep-alive", "5", "--access-logfile", "access.log", "-k", "gthread",
        "--threads", "2", *WSGI, env={"LD_PRELOAD": str(WALL_CLOCK), "WALL_CLOCK_OFFSET": str(shift)},
    )
    workers = server.workers()
    with server.client() as kept:
        assert kept.get("/").status == 200
        for seconds in (86400, -86400, 10 * 365 * 86400, 0):
            gate = tmp_path / f"gate{seconds}"
            with server.client() as slow:
                slow.request(f"/wait?{gate}")
                os.pwrite(file, struct.pack("q", seconds), 0)
                answer = kept.get("/")
                assert answer.status == 200
                there = email.utils.parsedate_to_datetime(answer.header("Date")).timestamp()
                assert abs(there - time.time() - seconds) < 5
                gate.touch()
                assert slow.response().text == "waited"
    os.close(file)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + 3.5, "longer than `timeout`", 10)
    assert server.workers() == workers
    assert "[CRITICAL]" not in server.log()


def test_a_worker_that_stands_still_is_replaced(start):
    server = start("-w", "2", "--timeout", "1", HELLO)
    stopped, other = server.workers()
    server.allow("WORKER TIMEOUT|SIGKILL|SIGABRT")
    processes.kill(stopped, signal.SIGSTOP)
    server.wait_log(rf"WORKER TIMEOUT \(pid:{stopped}\)")
    wait_until(lambda: stopped not in server.workers(), "it is killed")
    workers = server.wait_workers(2)
    assert other in workers
    assert serves(server)


@pytest.mark.parametrize("seconds", [1.2, 2.5, 7])
def test_the_machine_stands_still(start, seconds):
    """The server with all its processes, for longer than `timeout`."""
    server = start("-w", "3", "--timeout", "1", HELLO)
    workers = server.workers()
    for pid in (server.pid, *workers):
        processes.kill(pid, signal.SIGSTOP)
    wait_until(lambda: all(processes.state(pid) == "T" for pid in (server.pid, *workers)), "they stand")
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + seconds, "the time", 20)
    # The master first: it must not judge by what it finds.
    for pid in (server.pid, *workers):
        processes.kill(pid, signal.SIGCONT)
    assert serves(server)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + 2.5, "longer than `timeout`", 20)
    assert server.workers() == workers
    assert "WORKER TIMEOUT" not in server.log()


# many connections


@pytest.mark.needs_plain_build("thousands of connections, in a bounded time")
def test_ten_thousand_idle_connections_at_a_reload(start):
    count = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + 1000:
        pytest.skip(f"the hard limit of descriptors is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 3000), hard))
    server = start(
        "-w", "2", "--worker-connections", str(count), "--keep-alive", "600", "--graceful-timeout", "30", HELLO,
        limits={"nofile": f"{count + 3000}:{count + 3000}"},
    )
    old = server.workers()
    clients = []
    try:
        for index in range(count):
            client = Client(server.address, timeout=60, source=f"127.0.0.{2 + index % 100}")
            client.request("/")
            clients.append(client)
            if index % 100 == 99:
                for each in clients[-100:]:
                    assert each.response().status == 200
        began = time.monotonic()
        server.send(signal.SIGHUP)
        # Those who ask meanwhile are answered: on what they have, as long as it is open, else anew.
        asked = lost = 0
        while set(server.workers()) & set(old):
            assert time.monotonic() < began + 25
            for client in clients[asked : asked + 20]:
                lost += not answered(server, client)
            asked += 20
        took = time.monotonic() - began
        assert lost == 0
        assert took < 20
        server.wait_log("Reload complete")
        assert serves(server)
        assert "unfinished" not in server.log()
    finally:
        for client in clients:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def answered(server, client) -> bool:
    """What a decent client sees: a connection that was closed in good order before it asked is no loss."""
    with contextlib.suppress(BlockingIOError):
        if client.sock.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) == b"":
            return server.get("/").status == 200
    return client.get("/").status == 200
