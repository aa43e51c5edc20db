# SPDX-License-Identifier: MIT
"""unicoro top on a terminal: it draws anew, and leaves the terminal as it was."""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

import pytest

from harness import programs
from harness.paths import BINARY, probe
from harness.server import clean_environment
from harness.waiting import LONG, wait_until

ENTERED, LEFT = "\x1b[?1049h", "\x1b[?25h\x1b[?1049l"


class Terminal:
    """A terminal of 24 lines and a program on it, in a session of its own."""

    def __init__(self, *args, program=BINARY, env=None):
        self.master, self.slave = pty.openpty()
        self.resize(24, 100)
        self.before = termios.tcgetattr(self.slave)
        self.said = ""
        self.pid = os.fork()
        if self.pid == 0:
            os.login_tty(self.slave)
            os.execve(program, [str(program), *map(str, args)], clean_environment() | {"TERM": "xterm"} | (env or {}))

    def resize(self, rows, columns):
        termios.tcsetwinsize(self.master, (rows, columns))

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, wait=0.0):
        if select.select([self.master], [], [], wait)[0]:
            with contextlib.suppress(OSError):
                self.said += os.read(self.master, 65536).decode(errors="replace")

    def wait_for(self, pattern, start=0):
        deadline = time.monotonic() + LONG
        while not (found := re.search(pattern, self.said[start:], re.DOTALL)):
            assert time.monotonic() < deadline, f"no {pattern!r} in {self.said[start:][-2000:]!r}"
            self.read(0.1)
        return found

    def frames(self):
        return re.split("\x1b\\[H", self.said)[1:]

    def end(self) -> int:
        """The status of its end; the terminal must be as before."""
        deadline = time.monotonic() + LONG
        while (ended := os.waitpid(self.pid, os.WNOHANG))[0] == 0:
            assert time.monotonic() < deadline
            self.read(0.02)
        self.pid = 0
        self.read()
        assert termios.tcgetattr(self.slave) == self.before
        return ended[1]

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def admin(start, tmp_path):
    path = tmp_path / "admin.sock"
    server = start("--admin-bind", f"unix:{path}", "-w", 2, probe())
    wait_until(path.exists, "its socket")
    return server, f"unix:{path}"


@pytest.fixture
def terminal():
    made = []

    def make(*args, **more):
        made.append(Terminal(*args, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_it_draws_anew_and_quits(admin, terminal):
    server, where = admin
    top = terminal("top", "--admin", where, "--interval", 0.2)
    top.wait_for(r"\x1b\[Hunicoro \S+  ready  2/2 workers  master %d .*order: worker .*\x1b\[J" % server.pid)
    assert top.said.startswith(ENTERED)
    lflag = termios.tcgetattr(top.slave)[3]
    assert not lflag & (termios.ICANON | termios.ECHO)
    for _ in range(20):
        assert server.get("/").status == 200
    top.wait_for(r"\r\n *[1-9]\d*\.\d requests/s")
    for key, order in (("m", "memory"), ("c", "cpu"), ("r", "requests"), ("s", "silent"), ("w", "worker")):
        top.type(key)
        top.wait_for(f"order: {order} ", len(top.said))
    top.type("h")
    top.wait_for("q quit ")
    top.resize(6, 30)
    top.wait_for(r"\x1b\[H(?:[^\r\x1b]{0,30}\x1b\[K(?:\r\n)?){1,6}\x1b\[J", len(top.said))
    top.type("q")
    assert top.end() == 0
    assert top.said.endswith(LEFT)
    print(re.sub(r"\x1b\[\w", "", top.frames()[5]).replace("\r", ""))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_leaves_the_terminal_as_it_was(admin, terminal, number):
    _, where = admin
    top = terminal("top", "--admin", where, "--interval", 60)
    top.wait_for(r"ready  2/2.*\x1b\[J")
    if number == signal.SIGINT:
        top.type("\x03")
    else:
        os.kill(top.pid, number)
    status = top.end()
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == number
    assert top.said.endswith(LEFT) or number == signal.SIGHUP


def test_it_gives_the_terminal_back_while_it_is_stopped(admin, terminal):
    _, where = admin
    top = terminal("top", "--admin", where, "--interval", 60)
    top.wait_for(r"ready  2/2.*\x1b\[J")
    # Nobody could continue the leader of a session: the kernel does not stop it.
    os.kill(top.pid, signal.SIGTSTP)
    top.wait_for(re.escape(LEFT + ENTERED))
    top.type("m")
    top.wait_for("order: memory")
    top.type("q")
    assert top.end() == 0


@pytest.mark.parametrize("typed", ["q", "\x03"])
def test_keys_count_while_the_monitor_does_not_answer(admin, terminal, typed):
    server, where = admin
    top = terminal("top", "--admin", where, "--interval", 0.1)
    top.wait_for(r"ready  2/2.*\x1b\[J")
    (monitor,) = server.monitors()
    os.kill(monitor, signal.SIGSTOP)
    try:
        # It has drawn what it had; from here on it waits for an answer.
        while select.select([top.master], [], [], 0.5)[0]:
            top.read()
        began = time.monotonic()
        top.type(typed)
        status = top.end()
        assert time.monotonic() - began < 3
        assert status == 0 if typed == "q" else os.WTERMSIG(status) == signal.SIGINT
    finally:
        os.kill(monitor, signal.SIGCONT)


def test_the_server_goes_and_comes_again(start, terminal, tmp_path):
    path = tmp_path / "admin.sock"
    server = start("--admin-bind", f"unix:{path}", probe())
    wait_until(path.exists, "its socket")
    top = terminal("top", "--admin", f"unix:{path}", "--interval", 0.2)
    top.wait_for("ready  1/1")
    assert server.stop() == 0
    top.wait_for(r"\x1b\[Hlast seen: unicoro .*\r\ntrying again: cannot reach unix:")
    other = start("--admin-bind", f"unix:{path}", probe())
    top.wait_for(rf"\x1b\[Hunicoro \S+  ready  1/1 workers  master {other.pid}")
    top.type("q")
    assert top.end() == 0


def test_what_is_wrong_from_the_start_is_told_on_the_usual_screen(terminal, tmp_path):
    top = terminal("top", "--admin", f"unix:{tmp_path}/none.sock")
    assert os.waitstatus_to_exitcode(top.end()) == 3
    assert "No such file" in top.said and ENTERED not in top.said


def test_lines_for_a_reader_that_goes(admin):
    _, where = admin
    command = [str(BINARY), "top", "--admin", where, "--interval", "0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=clean_environment(), text=True) as top:
        lines = [top.stdout.readline() for _ in range(3)]
        assert lines[0].startswith("ready  2/2 workers  - requests/s  in flight 0 ")
        assert re.match(r"ready  2/2 workers  \d+\.\d requests/s ", lines[2]), lines
        top.stdout.close()
        assert top.wait(LONG) in (0, -signal.SIGPIPE)


def test_by_python(admin, terminal):
    """As a module of an interpreter, which has handlers of its own."""
    _, where = admin
    top = terminal("-m", "unicoro", "top", "--admin", where, program=sys.executable, env=programs.environment())
    top.wait_for(r"\x1b\[Hunicoro \S+  ready  2/2.*\x1b\[J")
    top.type("\x03")
    status = top.end()
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT
    assert top.said.endswith(LEFT)
