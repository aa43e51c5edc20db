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


def test_a_successor_that_cannot_start(start, site, tmp_path):
    """The trial could: the former workers serve until a later attempt can, too."""
    server = start("-w", "2", "--preload", *site.args)
    marker = tmp_path / "failed"
    site.write(
        "import os\nWHAT = 'second'\n"
        f"if os.getpid() == {server.pid} and not os.path.exists({str(marker)!r}):\n"
        f"    open({str(marker)!r}, 'w').close()\n"
        "    raise RuntimeError('this once')\n"
    )
    server.allow(r"this once|App failed to load|Upgrade: the former workers|Traceback")
    with Load(server.address, target="/") as load:
        upgrade(server)
    assert marker.exists() and "another start follows" in server.log()
    assert not load.lost and load.answered
    assert server.get().text.startswith("second ")


def test_a_stop_while_a_successor_cannot_start(start, site):
    server = start("-w", "2", "--preload", *site.args)
    site.write(f"import os\nWHAT = 1\nif os.getpid() == {server.pid}:\n    raise RuntimeError('always')\n")
    server.allow(r"always|App failed to load|Upgrade: the former workers|Traceback")
    server.send(signal.SIGUSR2)
    server.wait_log("another start follows", 3 * LONG)
    server.send(signal.SIGTERM)
    assert server.wait_exit(2 * LONG) == 0
    wait_until(lambda: not [pid for pid in processes.own_children() if processes.alive(pid)], "the workers end")
    processes.reap_helpers()
