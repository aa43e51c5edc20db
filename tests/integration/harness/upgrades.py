# SPDX-License-Identifier: MIT
"""What tests of upgrades (USR2) share."""

import re
import signal
import sys

from .paths import BINARY
from .waiting import LONG, wait_until

APP = """
import os
from where import WHAT
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{WHAT} {os.getpid()}".encode()]
"""


class Site:
    """A Python application in a folder, and how it is served."""

    def __init__(self, folder):
        self.folder = folder / "site"
        self.folder.mkdir()
        (self.folder / "site_app.py").write_text(APP)
        self.release("first")

    def release(self, what):
        self.write(f"WHAT = {what!r}\n")

    def write(self, text):
        new = self.folder / "where.new"
        new.write_text(text)
        new.rename(self.folder / "where.py")

    def wait_at(self, gate):
        """Who loads it waits until the gate is released."""
        self.write(
            f"import os\nos.write(os.open({gate.path + '.in'!r}, os.O_WRONLY), b'!')\n"
            f"WHAT = os.read(os.open({gate.path + '.out'!r}, os.O_RDONLY), 1)\n"
        )

    @property
    def args(self):
        return ["--python", sys.executable, "--pythonpath", self.folder, "site_app:app"]


class Programs:
    """A path to start the server by, and what is there."""

    def __init__(self, folder):
        self.path = folder / "unicoro"
        self.lead(BINARY)

    def lead(self, to):
        new = self.path.with_name("new")
        new.unlink(missing_ok=True)
        new.symlink_to(to)
        new.rename(self.path)


def upgrade(server, timeout=3 * LONG):
    """One upgrade to its end; the workers that serve then."""
    before = set(server.workers())
    done = server.log().count("Upgrade complete")
    server.send(signal.SIGUSR2)
    wait_until(lambda: server.log().count("Upgrade complete") > done or not server.child.running,
               "the upgrade is complete", timeout)
    assert server.child.running, server.log()
    wait_until(lambda: not before & set(server.workers()), "the former workers have ended")
    return server.workers()


def refused(server, why, timeout=3 * LONG):
    """One upgrade that comes to nothing, and leaves the workers."""
    before, said = server.workers(), len(server.log())
    server.allow(r"Upgrade refused|\[ERROR\]|Traceback")
    server.send(signal.SIGUSR2)
    wait_until(lambda: "Upgrade refused" in server.log()[said:], "the upgrade is refused", timeout)
    assert re.search(why, server.log()[said:]), server.log()
    wait_until(lambda: server.workers() == before, "no other process is left")
    assert server.get("/pid").status == 200
