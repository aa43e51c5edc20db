# SPDX-License-Identifier: MIT
"""What /proc tells about processes, and children of this one."""

import ctypes
import fcntl
import os
import select
import signal
from pathlib import Path

from .waiting import wait_until

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Makes this process the parent of workers whose master has died, so that none is overlooked."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _stat_fields(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2 :].split()


def state(pid: int) -> str | None:
    """The letter of /proc/PID/stat, "Z" for a zombie; None when there is no such process."""
    try:
        return _stat_fields(pid)[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def alive(pid: int) -> bool:
    return state(pid) not in (None, "Z", "X")


def children(pid: int) -> list[int]:
    """Pids of the direct children, oldest first."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        return []
    return sorted(found)


# Of services that several tests share (a database): their end is not waited for with the servers'.
services: set[int] = set()


def own_children() -> list[int]:
    """The children of this process that a test has to see the end of."""
    return [pid for pid in children(os.getpid()) if pid not in services]


def reap_helpers() -> None:
    """Waits for what a server that has ended has left behind, such as helpers of its libraries, which end by
    themselves."""
    for pid in own_children():
        wait_until(lambda pid=pid: not alive(pid), f"the process {title(pid)} ends")
        os.waitpid(pid, 0)


def fd_count(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_seconds(pid: int) -> float:
    """Of user and system, its threads' included."""
    fields = _stat_fields(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def title(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()


def environ(pid: int) -> dict[str, str]:
    raw = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(item.decode().split("=", 1) for item in raw if b"=" in item)


def kill(pid: int, number: int) -> None:
    """Sends a signal to a process started here; one that has gone is fine."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Child:
    """A child of this process. Its end is waited for through a pidfd, without polling."""

    def __init__(self, pid: int):
        self.pid = pid
        self._fd = os.pidfd_open(pid)
        self.status: int | None = None

    def fileno(self) -> int:
        return self._fd

    @property
    def running(self) -> bool:
        return self.status is None and not self._ended(0)

    def _ended(self, timeout: float) -> bool:
        poller = select.poll()
        poller.register(self._fd, select.POLLIN)
        return bool(poller.poll(timeout * 1000))

    def wait(self, timeout: float) -> int:
        """Reaps it; returns the exit code, or the negative number of the signal that ended it."""
        if self.status is None:
            if not self._ended(timeout):
                raise AssertionError(f"process {self.pid} did not end within {timeout} s")
            _, status = os.waitpid(self.pid, 0)
            self.status = os.waitstatus_to_exitcode(status)
            os.close(self._fd)
        return self.status

    def send(self, number: int) -> None:
        if self.status is None:
            kill(self.pid, number)

    def destroy(self) -> None:
        """SIGKILL to the whole process group, then reap."""
        if self.status is not None:
            return
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.send(signal.SIGKILL)
        self.wait(10)


def spawn(
    argv: list[str],
    *,
    env: dict[str, str],
    cwd: str,
    stdout: int,
    stderr: int,
    fds: list[int] = (),
    limits: dict[str, str] | None = None,
    listen_pid: str = "$$",
) -> Child:
    """Starts a program in its own process group; `fds` become its descriptors 3, 4, ... and, if there
    are any, LISTEN_FDS and LISTEN_PID tell of them. `limits` are options of prlimit(1)."""
    env = dict(env)
    script = f'cd "{cwd}" && '
    if fds:
        env["LISTEN_FDS"] = str(len(fds))
        # The pid is known only in the child; exec keeps it.
        script += f"export LISTEN_PID={listen_pid} && "
    for name, value in (limits or {}).items():
        script += f"prlimit --pid $$ --{name}={value} && "
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, stdout, 1),
        (os.POSIX_SPAWN_DUP2, stderr, 2),
    ]
    # High numbers first, so that no target overwrites a source.
    sources = [_duplicate_high(fd) for fd in fds]
    actions += [(os.POSIX_SPAWN_DUP2, fd, 3 + index) for index, fd in enumerate(sources)]
    pid = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", script + 'exec "$@"', "sh", *argv],
        env,
        file_actions=actions,
        setpgroup=0,
        setsigmask=[],
        setsigdef=[signal.SIGPIPE, signal.SIGINT],
    )
    for fd in sources:
        os.close(fd)
    return Child(pid)


def _duplicate_high(fd: int) -> int:
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 200)
