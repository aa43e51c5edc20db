# SPDX-License-Identifier: MIT
"""A folder of an unprivileged user, what that user may have put there, and what root must not give away."""

import contextlib
import grp
import os
import pwd
import shutil
import socket
import tempfile
import threading
from pathlib import Path

import pytest

USER = "nobody"
CONTENT = "precious\n"

only_as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="what root gives away only root can show: run the tests as root"
)


class Place:
    """`theirs` belongs to the user; `roots` has a secret, and a socket that somebody listens on."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="unicoro-root-"))
        self.folder.chmod(0o755)
        self.user = pwd.getpwnam(USER)
        self.group = grp.getgrgid(self.user.pw_gid).gr_name
        self.roots = self.folder / "roots"
        self.roots.mkdir(mode=0o755)
        self.theirs = self.folder / "theirs"
        self.theirs.mkdir(mode=0o755)
        os.chown(self.theirs, self.user.pw_uid, self.user.pw_gid)
        self.secret = self.roots / "secret"
        self.secret.write_text(CONTENT)
        self.secret.chmod(0o600)
        self.listener = socket.socket(socket.AF_UNIX)
        self.socket = self.roots / "socket"
        self.listener.bind(str(self.socket))
        self.socket.chmod(0o600)
        self.listener.listen(16)
        self.before = self._look()

    def _look(self):
        found = {}
        for path in sorted(self.roots.rglob("*")):
            status = path.lstat()
            found[path] = (status.st_uid, status.st_gid, status.st_mode)
        return found

    def check(self) -> None:
        """Nothing of root's has changed, nothing was made beside it."""
        assert self._look() == self.before
        found = self.secret.read_text()
        assert found == CONTENT, repr(found)

    def close(self) -> None:
        self.listener.close()
        shutil.rmtree(self.folder)

    def put(self, kind: str, path: Path) -> None:
        """One of KINDS at a path, in one step."""
        new = path.with_name(path.name + ".making")
        MAKERS[kind](self, new)
        os.replace(new, path)

    def owner_of(self, path: Path) -> str:
        return path.owner()

    @contextlib.contextmanager
    def swapping(self, path: Path, kinds: list[str], own: Path | None = None):
        """Puts these things at the path in turn, as fast as it can; and another name of `own`."""
        ended = threading.Event()

        def swap():
            while not ended.is_set():
                for kind in kinds:
                    self.put(kind, path)
                    if own is not None:
                        os.link(own, path.with_name("own.making"))
                        os.replace(path.with_name("own.making"), path)

        thread = threading.Thread(target=swap, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(20)


def _regular(place: Place, path: Path) -> None:
    path.write_text("")
    os.chown(path, place.user.pw_uid, place.user.pw_gid)


def _socket(place: Place, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))
    os.chown(path, place.user.pw_uid, place.user.pw_gid)


MAKERS = {
    "link to a secret": lambda place, path: path.symlink_to(place.secret),
    "link to nothing": lambda place, path: path.symlink_to(place.roots / "made-by-root"),
    "link to a device": lambda place, path: path.symlink_to("/dev/full"),
    "link to a socket": lambda place, path: path.symlink_to(place.socket),
    "another name of a secret": lambda place, path: os.link(place.secret, path),
    "another name of a socket": lambda place, path: os.link(place.socket, path),
    "pipe": lambda place, path: os.mkfifo(path, 0o666),
    "socket": _socket,
    "regular file": _regular,
}
LINKS = [kind for kind in MAKERS if "link" in kind]
# What no log file and no pidfile may be.
NO_FILE = [kind for kind in MAKERS if kind != "regular file"]
