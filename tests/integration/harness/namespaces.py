# SPDX-License-Identifier: MIT
"""Network namespaces of a test's own, where it may make them."""

import contextlib
import ctypes
import os
import shutil
import subprocess

CLONE_NEWNET = 0x40000000
IP = shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _run(*words: str) -> bool:
    return subprocess.run([IP, *words], capture_output=True, check=False).returncode == 0


class Namespace:
    """One with nothing but a loopback interface, known by its name to those who look in /run/netns."""

    def __init__(self, name: str):
        self.name = name

    @classmethod
    def made(cls, name: str) -> "Namespace | None":
        """None where that is not allowed."""
        if IP is None or os.geteuid() != 0 or not _run("netns", "add", name):
            return None
        made = cls(name)
        if _run("-n", name, "link", "set", "lo", "up"):
            return made
        made.remove()
        return None

    def remove(self) -> None:
        _run("netns", "del", self.name)

    @contextlib.contextmanager
    def inside(self):
        """Sockets that this thread makes meanwhile are in there, and processes that it starts."""
        libc = ctypes.CDLL(None, use_errno=True)
        fds = [os.open(path, os.O_RDONLY | os.O_CLOEXEC) for path in ("/proc/thread-self/ns/net", f"/run/netns/{self.name}")]

        def enter(fd: int) -> None:
            if libc.setns(fd, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"setns: {self.name}")

        try:
            enter(fds[1])
            try:
                yield
            finally:
                enter(fds[0])
        finally:
            for fd in fds:
                os.close(fd)
