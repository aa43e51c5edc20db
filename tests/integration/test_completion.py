# SPDX-License-Identifier: MIT
"""The manual page and the completions that the command prints, in the hands of those who read them."""

import contextlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import termios
import time

import pytest

from harness.paths import BINARY
from harness.server import clean_environment
from harness.waiting import LONG

# How each is started, and what it reads then: a prompt to wait for, and what the command was called with in
# the place of the server.
SHELLS = {
    "bash": (
        ["--noprofile", "--rcfile", "setup", "-i"],
        """PS1='ready> '
           unicoro() { printf '<%s>' "$@"; echo .; }
           bind 'set show-all-if-ambiguous on'
           source <(@BINARY@ --print-completion bash)""",
    ),
    "zsh": (
        ["-f", "-i"],
        """PS1='ready> '
           autoload -Uz compinit && compinit -u -D
           unicoro() { printf '<%s>' "$@"; echo .; }
           source <(@BINARY@ --print-completion zsh)""",
    ),
    "fish": (
        ["--no-config", "-i", "-C", "source setup"],
        """function fish_prompt; echo -n 'ready> '; end
           function unicoro; printf '<%s>' $argv; echo .; end
           @BINARY@ --print-completion fish | source""",
    ),
}

COMPLETED = [
    ("--worker-cl\t gth\t", ["--worker-class", "gthread"]),
    ("--worker-class=evl\b\bve\t", ["--worker-class=eventlet"]),
    ("--no-sendf\t", ["--no-sendfile"]),
    ("-k asy\t -w au\t", ["-k", "async", "-w", "auto"]),
    ("--log-level crit\t", ["--log-level", "critical"]),
    ("--print-completion z\t", ["--print-completion", "zsh"]),
    ("-c our\t", ["-c", "our settings.json"]),
    ("--config=our\t", ["--config=our settings.json"]),
    ("--chdir fo\t", ["--chdir", "folder"]),
    ("-u daem\t", ["-u", "daemon"]),
    ("-g daem\t", ["-g", "daemon"]),
    ("-k async app\t", ["-k", "async", "application:"]),
    ("--threads 4 ./lib\t", ["--threads", "4", "./libnative.so"]),
    ("requ\t --js\t", ["requests", "--json"]),
    ("top --sort me\t", ["top", "--sort", "memory"]),
    ("top --sort=me\t", ["top", "--sort=memory"]),
    ("status -c our\t", ["status", "-c", "our settings.json"]),
    ("workers +\t --no-w\t", ["workers", "+1", "--no-wait"]),
    # It takes a number: no file is one.
    ("--backlog our\t", ["--backlog", "our"]),
]


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, name: str, folder):
        arguments, setup = SHELLS[name]
        (folder / "here" / "setup").write_text(setup.replace("@BINARY@", str(BINARY)) + "\n")
        environment = clean_environment() | {
            "TERM": "vt100", "HOME": str(folder), "INPUTRC": "/dev/null", "HISTFILE": "/dev/null",
            "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder), "LC_ALL": "C.UTF-8",
        }
        self.said = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            termios.tcsetwinsize(0, (50, 500))
            os.chdir(folder / "here")
            os.execvpe(name, [name, *arguments], environment)
        if name == "zsh":
            self.type("source setup\r")
        self.wait_for("ready> ", 0)

    def run(self, line: str, until: str) -> str:
        """Types the line; what is said up to a match for `until`."""
        before = len(self.said)
        self.type(line)
        self.type("\r")
        found = self.wait_for(until, before)
        self.wait_for("ready> ", before + found.end())
        return found.group()

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def wait_for(self, pattern: str, start: int) -> re.Match:
        deadline = time.monotonic() + LONG
        while not (found := re.search(pattern, self.said[start:])):
            ready, _, _ = select.select([self.terminal], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"no {pattern!r} in {self.said[start:]!r}"
            self.said += os.read(self.terminal, 4096).decode(errors="replace")
        return found

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


@pytest.fixture(scope="module", params=SHELLS)
def shell(request, tmp_path_factory):
    if shutil.which(request.param) is None:
        pytest.skip(f"needs {request.param}")
    folder = tmp_path_factory.mktemp(request.param)
    here = folder / "here"
    (here / "folder").mkdir(parents=True)
    for name in ("our settings.json", "application.py", "libnative.so"):
        (here / name).touch()
    shell = Shell(request.param, folder)
    yield shell
    shell.close()


@pytest.mark.parametrize(("typed", "completed"), COMPLETED)
def test_completed(shell, typed, completed):
    said = shell.run(f"unicoro {typed}", r"<[^\r\n]*>\.")
    # zsh takes the slash of a folder away again.
    assert [word.removesuffix("/") for word in re.findall("<(.*?)>", said)] == completed


def test_the_flags_are_listed(shell):
    before = len(shell.said)
    shell.type("unicoro --ws-\t")
    # fish leaves out what they have in common.
    for flag in ("ping-interval", "ping-timeout", "max-size"):
        shell.wait_for(rf"-{flag}\b", before)
    assert shell.run("max-s\t", "<.*>") == "<--ws-max-size>"


def test_a_shell_that_nobody_knows(command):
    result = command("--print-completion", "tcsh")
    assert result.returncode == 2
    assert '"zsh"' in result.stderr and '"tcsh"' in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("reader", [["mandoc", "-Tlint"], ["man", "--warnings", "-P", "cat", "-l"]], ids=lambda r: r[0])
def test_manual_page(command, tmp_path, reader):
    if shutil.which(reader[0]) is None:
        pytest.skip(f"needs {reader[0]}")
    page = command("--print-man")
    assert page.returncode == 0 and page.stderr == ""
    (tmp_path / "unicoro.1").write_text(page.stdout)
    read = subprocess.run([*reader, tmp_path / "unicoro.1"], capture_output=True, text=True, timeout=60)
    assert read.returncode == 0
    assert read.stderr == ""
    if reader[0] == "mandoc":
        assert read.stdout == ""
    else:
        assert "--worker-class" in read.stdout
