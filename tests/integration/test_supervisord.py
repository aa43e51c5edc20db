# SPDX-License-Identifier: MIT
"""Under a real supervisord: an upgrade leaves its child the same process, and loses nothing."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.load import Load
from harness.paths import BINARY
from harness.upgrades import Site
from harness.waiting import LONG, wait_until

CONFIGURATION = """
[supervisord]
nodaemon = true
logfile = {folder}/supervisord.log
pidfile = {folder}/supervisord.pid

[unix_http_server]
file = {folder}/supervisor.sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl = unix://{folder}/supervisor.sock

[program:unicoro]
command = {command}
stopsignal = TERM
stopwaitsecs = 60
startsecs = 0
redirect_stderr = true
stdout_logfile = {folder}/unicoro.log
"""


class Supervisord:
    def __init__(self, folder, command):
        self.folder = folder
        self.settings = folder / "supervisord.conf"
        self.settings.write_text(CONFIGURATION.format(folder=folder, command=" ".join(map(str, command))))
        self.process = subprocess.Popen([self.tool("supervisord"), "-c", self.settings])

    @staticmethod
    def tool(name):
        return Path(sys.executable).with_name(name)

    def tell(self, *words) -> str:
        asked = [self.tool("supervisorctl"), "-c", self.settings, *words]
        return subprocess.run(asked, capture_output=True, text=True, timeout=2 * LONG).stdout.strip()

    def log(self) -> str:
        try:
            return (self.folder / "unicoro.log").read_text()
        except FileNotFoundError:
            return ""

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(2 * LONG)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return Site(tmp_path)


@pytest.fixture
def supervised(site, tmp_path, start):
    """Asked for after `start`, whose end looks for processes that are left."""
    pytest.importorskip("supervisor")
    address = tmp_path / "app.sock"
    running = Supervisord(tmp_path, [BINARY, "-w", "2", "-b", f"unix:{address}", *site.args])
    try:
        wait_until(lambda: running.log().count("Worker ready") >= 2, "the workers serve")
        yield running, str(address)
    finally:
        running.end()


def test_upgrades(supervised, site):
    supervisord, address = supervised
    pid = supervisord.tell("pid", "unicoro")
    with Load(address, clients=4, target="/") as load:
        for turn in range(3):
            site.release(f"turn{turn}")
            assert "signalled" in supervisord.tell("signal", "USR2", "unicoro")
            wait_until(lambda: supervisord.log().count("Upgrade complete") > turn, "the upgrade", 3 * LONG)
            assert supervisord.tell("pid", "unicoro") == pid
            assert "RUNNING" in supervisord.tell("status", "unicoro")
    assert not load.lost and load.answered
    assert "stopped" in supervisord.tell("stop", "unicoro")
