# SPDX-License-Identifier: MIT
"""Upgrades that come to nothing: whatever is wrong with the new program, the running one goes on and says why."""

import signal

import pytest

from harness import processes
from harness.load import Load
from harness.paths import BINARY, probe
from harness.upgrades import Programs, Site, refused, upgrade
from harness.waiting import LONG, wait_until


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return Site(tmp_path)


@pytest.fixture
def program(tmp_path):
    return Programs(tmp_path)


def test_no_program(start, program):
    server = start(probe(), command=[str(program.path)])
    program.path.unlink()
    refused(server, f"cannot run {program.path} in ")


def test_a_program_that_ends(start, program, tmp_path):
    server = start(probe(), command=[str(program.path)])
    program.lead("/bin/false")
    refused(server, "it ended with code 1")
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho out of order >&2\nkill -SEGV $$\n")
    broken.chmod(0o755)
    program.lead(broken)
    refused(server, r"out of order\n(?s:.*)it was sent SIGSEGV")
    program.lead(BINARY)
    upgrade(server)


def test_wrong_settings(start, tmp_path):
    config = tmp_path / "settings.json"
    config.write_text("{}")
    server = start("-c", config, probe())
    config.write_text('{"workers": "many"}')
    refused(server, r"Upgrade \(pid:\d+\): unicoro: error: .*workers")
    config.write_text('{"errorlog": "/nowhere/at/all"}')
    refused(server, r"Upgrade \(pid:\d+\): .*/nowhere/at/all")
    config.write_text('{"workers": 2}')
    assert len(upgrade(server)) == 2


def test_an_address_in_use(start, tmp_path):
    other = start(probe())
    config = tmp_path / "settings.json"
    config.write_text('{"bind": ["127.0.0.1:0"]}')
    server = start("-c", config, probe(), listen=False)
    port = other.address[1]
    config.write_text(f'{{"bind": ["127.0.0.1:{port}"]}}')
    refused(server, f"127.0.0.1:{port}")


@pytest.mark.parametrize("args", [[], ["--preload"]])
def test_an_application_that_does_not_load(start, site, args):
    server = start("-w", "2", *args, *site.args)
    site.write("raise RuntimeError('the fault')\n")
    refused(server, "RuntimeError: the fault")
    site.release("mended")
    upgrade(server)
    assert server.get().text.startswith("mended ")


def test_a_worker_that_dies(start, site):
    server = start(*site.args)
    site.write("import os\nos.abort()\n")
    refused(server, "Worker failed to boot")


def test_an_application_that_is_never_ready(start, site):
    server = start("--boot-timeout", "1", *site.args)
    site.write("import time\ntime.sleep(1000)\n")
    refused(server, "is not ready after boot_timeout")


class Turncoat:
    """A server that could start as a trial, and cannot as a successor: of a hook in the master, or of the
    application in the process that preloads it."""

    def __init__(self, preload, start, site, tmp_path):
        self.preload, self.site, self.hooks = preload, site, tmp_path / "hooks.py"
        self.hooks.write_text("def on_starting(server):\n    pass\n")
        more = ["--preload"] if preload else ["-c", self.hooks]
        self.server = start("-w", "2", *more, *site.args)
        self.server.allow(r"not now|App failed to load|on_starting failed|Upgrade: |exited with code|Traceback")

    def fail(self, unless="False"):
        asked = "getppid" if self.preload else "getpid"
        trap = (
            f"import os\nWHAT = 'second'\nif os.{asked}() == {self.server.pid} and not {unless}:\n"
            "    raise RuntimeError('not now')\n"
        )
        if self.preload:
            return self.site.write(trap)
        self.site.release("second")
        self.hooks.write_text("def on_starting(server):\n" + "".join(f"    {line}\n" for line in trap.splitlines()))


@pytest.fixture(params=["in the master", "in what preloads"])
def turncoat(request, start, site, tmp_path):
    return Turncoat(request.param == "in what preloads", start, site, tmp_path)


def test_a_successor_that_cannot_start(turncoat, tmp_path):
    """The former workers serve until a later attempt can."""
    server, marker = turncoat.server, tmp_path / "now"
    turncoat.fail(unless=f"os.path.exists({str(marker)!r})")
    before = server.workers()
    with Load(server.address, target="/") as load:
        server.send(signal.SIGUSR2)
        server.wait_log("former workers keep serving; another (start|attempt) follows", 3 * LONG)
        # What preloads in vain may be there, too.
        assert set(before) <= set(server.workers())
        marker.touch()
        server.wait_log("Upgrade complete", 3 * LONG)
        wait_until(lambda: not set(before) & set(server.workers()), "the former workers have ended")
    assert not load.lost and load.answered
    assert server.get().text.startswith("second ")


def test_a_stop_while_a_successor_cannot_start(turncoat):
    server = turncoat.server
    turncoat.fail()
    server.send(signal.SIGUSR2)
    server.wait_log("another (start|attempt) follows", 3 * LONG)
    server.send(signal.SIGTERM)
    assert server.wait_exit(2 * LONG) == 0
    wait_until(lambda: not [pid for pid in processes.own_children() if processes.alive(pid)], "the workers end")
    processes.reap_helpers()
