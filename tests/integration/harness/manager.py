# SPDX-License-Identifier: MIT
"""What systemd is to a service: told by NOTIFY_SOCKET, keeper of descriptors, and who starts it again."""

import os
import socket
import stat

from .server import Notices


class Manager(Notices):
    """Knows the main process, and has a descriptor store (sd_notify(3), sd_pid_notify_with_fds(3))."""

    def __init__(self, path, most: int = 8):
        super().__init__(path)
        self.most = most
        self.main: int | None = None
        self.stored: list[tuple[str, int]] = []

    def close(self) -> None:
        super().close()
        for _, fd in self.stored:
            os.close(fd)
        self.stored.clear()

    def receive(self) -> str:
        data, fds, _, _ = socket.recv_fds(self.sock, 4096, 8)
        text = data.decode()
        said = dict(line.split("=", 1) for line in text.splitlines())
        if "MAINPID" in said:
            self.main = int(said["MAINPID"])
        if said.get("FDSTORE") == "1":
            self._store(said["FDNAME"], fds)
        if said.get("FDSTOREREMOVE") == "1":
            self._remove(said["FDNAME"])
        return text

    def _store(self, name: str, fds: list[int]) -> None:
        assert name.isascii() and name.isprintable() and ":" not in name and len(name) <= 255
        for fd in fds:
            assert len(self.stored) < self.most, "the store is full"
            assert stat.S_ISSOCK(os.fstat(fd).st_mode)
            self.stored.append((name, fd))

    def _remove(self, name: str) -> None:
        for each in [each for each in self.stored if each[0] == name]:
            os.close(each[1])
            self.stored.remove(each)

    def names(self) -> list[str]:
        """Of what is stored, once everything that was said has been heard."""
        self.sock.setblocking(False)
        try:
            while True:
                self.seen.append(self.receive())
        except BlockingIOError:
            pass
        finally:
            self.sock.setblocking(True)
        return sorted(name for name, _ in self.stored)

    def environment(self) -> dict[str, str]:
        """Of the service, for each start of it."""
        more = {"LISTEN_FDNAMES": ":".join(name for name, _ in self.stored)} if self.stored else {}
        return {"NOTIFY_SOCKET": self.path, "FDSTORE": str(self.most), **more}

    def passed(self) -> list[socket.socket]:
        """What the next start finds, beside what it is passed otherwise."""
        return [socket.socket(fileno=os.dup(fd)) for _, fd in self.stored]
