# SPDX-License-Identifier: MIT
"""USR2: the program is started anew from what the files are by then, in the same process, and loses nothing."""

import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from harness import processes, programs
from harness.load import Load
from harness.paths import BINARY, probe
from harness.upgrades import Programs, Site, upgrade
from harness.waiting import LONG, wait_until

@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return Site(tmp_path)


@pytest.mark.parametrize("per_connection", [1, 0])
def test_ten_upgrades_of_a_native_application(start, per_connection):
    server = start("-w", "2", probe())
    with Load(server.address, clients=8, per_connection=per_connection) as load:
        for _ in range(10):
            assert len(upgrade(server)) == 2
    assert not load.lost
    assert load.answered > 100
    assert server.stop() == 0


@pytest.mark.parametrize("args", [["-k", "sync"], ["-k", "async"], ["--threads", "2"], ["--preload"]])
def test_upgrades_of_a_python_application(start, site, args):
    server = start("-w", "2", *args, *site.args)
    with Load(server.address, clients=4) as load:
        for turn in range(3):
            site.release(f"turn{turn}")
            upgrade(server)
            assert server.get().text.startswith(f"turn{turn} ")
    assert not load.lost and load.answered
    wait_until(lambda: set(processes.children(server.pid)) == {*server.workers(), *server.preloaders()}, "nobody else")
    wait_until(lambda: len(server.preloaders()) == args.count("--preload"), "what preloads")


def test_sockets_that_the_server_has_bound(start, tmp_path):
    path = tmp_path / "app.sock"
    server = start("-w", "1", "-b", "127.0.0.1:0", "-b", f"unix:{path}", probe(), listen=False)
    addresses, inode = server.addresses(), path.stat().st_ino
    with Load(addresses[0], clients=2) as load, Load(addresses[1], clients=2) as unix_load:
        for _ in range(3):
            upgrade(server)
            assert server.addresses()[-2:] == addresses
    assert not load.lost and not unix_load.lost
    assert path.stat().st_ino == inode
    assert server.stop() == 0
    assert not path.exists()


def test_sockets_that_change(start, tmp_path):
    """What is bound no more goes with the former workers, what is bound anew is there with the new ones."""
    old, new = tmp_path / "old.sock", tmp_path / "new.sock"
    config = tmp_path / "settings.json"
    config.write_text(f'{{"bind": ["unix:{old}"]}}')
    server = start("-c", config, probe(), listen=False)
    config.write_text(f'{{"bind": ["unix:{new}"]}}')
    upgrade(server)
    assert not old.exists() and new.exists()
    assert server.stop() == 0
    assert not new.exists()


def test_a_socket_file_that_is_gone_is_made_anew(start, tmp_path):
    path = tmp_path / "app.sock"
    server = start("-b", f"unix:{path}", probe(), listen=False)
    path.unlink()
    upgrade(server)
    with server.client() as client:
        assert client.get("/pid").status == 200


def test_pidfile(start, tmp_path):
    first, second = tmp_path / "pid", tmp_path / "another"
    config = tmp_path / "settings.json"
    config.write_text(f'{{"pidfile": "{first}"}}')
    server = start("-c", config, probe())
    for _ in range(2):
        inode = first.stat().st_ino
        upgrade(server)
        assert int(first.read_text()) == server.pid
        assert first.stat().st_ino == inode
        rival = subprocess.run([BINARY, "-p", first, "-b", "127.0.0.1:0", probe()], capture_output=True, text=True)
        assert f"already running on PID {server.pid}" in rival.stderr
    config.write_text(f'{{"pidfile": "{second}"}}')
    upgrade(server)
    assert not first.exists() and int(second.read_text()) == server.pid
    assert server.stop() == 0
    assert not second.exists()


def test_the_number_of_workers_stays(start):
    server = start("-w", "2", probe())
    server.send(signal.SIGTTIN)
    server.wait_workers(3)
    upgrade(server)
    assert len(server.workers()) == 3


@pytest.fixture
def program(tmp_path):
    return Programs(tmp_path)


def test_the_program_is_what_the_path_leads_to(start, program, tmp_path):
    """A new release: another file, which says so before it is the server."""
    server = start(probe(), command=[str(program.path)])
    release = tmp_path / "release"
    release.write_text(f'#!/bin/sh\necho of the new release >&2\nexec {program.path}.real "$@"\n')
    release.chmod(0o755)
    (tmp_path / "unicoro.real").symlink_to(BINARY)
    program.lead(release)
    upgrade(server)
    server.wait_log(r"Upgrade \(pid:\d+\): of the new release")


def test_one_at_a_time(start, site, gate):
    server = start(*site.args)
    site.wait_at(gate)
    server.send(signal.SIGUSR2)
    gate.wait_entered()
    server.send(signal.SIGUSR2)
    server.wait_log("USR2 does nothing: an upgrade is under way already")
    site.release("second")
    gate.release()
    server.wait_log("Upgrade complete")
    assert server.log().count("this process becomes it") == 1


def test_a_reload_waits_for_the_upgrade(start, site, gate):
    server = start(*site.args)
    site.wait_at(gate)
    server.send(signal.SIGUSR2)
    gate.wait_entered()
    server.send(signal.SIGHUP)
    server.wait_log("The reload waits for the upgrade")
    server.allow("fault|Upgrade refused|failed to load|Traceback")
    site.write("raise RuntimeError('the fault')\n")
    gate.release()
    server.wait_log("The upgrade reads the settings anew|Upgrade refused")


def test_the_upgrade_waits_for_a_reload(start, site, gate):
    server = start(*site.args)
    site.wait_at(gate)
    server.send(signal.SIGHUP)
    gate.wait_entered()
    server.send(signal.SIGUSR2)
    server.wait_log("The upgrade waits for the reload that is under way")
    site.release("second")
    gate.release()
    server.wait_log("Upgrade complete", 3 * LONG)
    log = server.log()
    assert log.index("Reload complete") < log.index("is tried out")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_a_stop_ends_the_trial_too(start, site, gate, number):
    server = start(*site.args)
    site.wait_at(gate)
    server.send(signal.SIGUSR2)
    gate.wait_entered()
    server.allow("Worker failed to boot")
    server.send(number)
    gate.release()
    assert server.wait_exit(3 * LONG) == 0


def test_the_trial_ends_with_its_master(start, site, gate):
    server = start(*site.args)
    site.wait_at(gate)
    server.send(signal.SIGUSR2)
    gate.wait_entered()
    server.send(signal.SIGKILL)
    server.wait_exit()
    gate.release()
    wait_until(lambda: not [pid for pid in processes.own_children() if processes.alive(pid)], "nobody is left")
    processes.reap_helpers()


def test_a_request_over_the_upgrade(start, gate):
    server = start("-w", "1", probe())
    with server.client() as client:
        client.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        server.send(signal.SIGUSR2)
        server.wait_log("Upgrade complete", 3 * LONG)
        gate.release()
        assert client.response().status == 200


def test_stop_while_former_workers_drain(start, gate):
    """They are children of the new program, which waits for them as for its own."""
    server = start("-w", "1", probe())
    with server.client() as client:
        client.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        server.send(signal.SIGUSR2)
        server.wait_log("Upgrade complete", 3 * LONG)
        upgrade_again = server.log().count("Upgrade complete")
        server.send(signal.SIGUSR2)
        wait_until(lambda: server.log().count("Upgrade complete") > upgrade_again, "a second one", 3 * LONG)
        server.send(signal.SIGTERM)
        server.wait_log("Handling signal: term")
        gate.release()
        assert client.response().status == 200
    assert server.wait_exit() == 0


@pytest.mark.needs_plain_build("a python3 that is started directly has no sanitizer preloaded")
def test_as_a_module(start, site):
    server = start("-w", "1", *site.args[2:], command=[sys.executable, "-m", "unicoro"], env=programs.environment())
    site.release("second")
    upgrade(server)
    assert server.get().text.startswith("second ")


@pytest.mark.needs_plain_build("a python3 that is started directly has no sanitizer preloaded")
def test_another_environment_under_the_same_path(start, site, tmp_path):
    """The interpreter is found by the path that was given: a link to the environment of a release."""
    for name in ("one", "two"):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / name], check=True)
    current = tmp_path / "current"
    current.symlink_to("one")
    site.write("import sys\nWHAT = sys.prefix\n")
    python = str(current / "bin" / "python")
    server = start("-w", "1", *site.args[2:], command=[python, "-m", "unicoro"], env=programs.environment())
    (tmp_path / "gone").symlink_to("two")
    (tmp_path / "gone").rename(current)
    shutil.rmtree(tmp_path / "one")
    upgrade(server)
    assert "Upgrade complete" in server.log()
    assert (tmp_path / "two").name in os.path.realpath(server.get().text.split()[0])


def test_a_daemon(start, site, tmp_path):
    pidfile, log = tmp_path / "pid", tmp_path / "log"
    server = start("-D", "-p", pidfile, "--log-file", log, "-b", "127.0.0.1:0", *site.args, listen=False, ready=False)
    server.error_log = log
    assert server.wait_exit() == 0
    master = int(pidfile.read_text())
    site.release("second")
    os.kill(master, signal.SIGUSR2)
    server.wait_log("Upgrade complete", 3 * LONG)
    assert int(pidfile.read_text()) == master
    wait_until(lambda: server.get().text.startswith("second "), "the former workers accept nothing more")
    os.kill(master, signal.SIGTERM)
    wait_until(lambda: not processes.alive(master), "the daemon has ended")
    processes.reap_helpers()


def can_be_process_1() -> bool:
    try:
        return subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not can_be_process_1(), reason="no right to make a pid namespace")
def test_as_process_1(start, site):
    """What ends there ends the container: the process stays."""
    command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", str(BINARY)]
    server = start("-w", "1", "-b", "127.0.0.1:0", *site.args, command=command, listen=False, ready=False)
    server.wait_log("Worker ready")
    (master,) = processes.children(server.pid)
    with Load(server.address, clients=2, target="/") as load:
        for turn in range(3):
            site.release(f"turn{turn}")
            os.kill(master, signal.SIGUSR2)
            wait_until(lambda: server.log().count("Upgrade complete") > turn, "the upgrade is complete", 3 * LONG)
            # A former worker may still take a connection that has waited.
            wait_until(lambda: server.get().text.startswith(f"turn{turn} "), "the new code answers")
    assert not load.lost and load.answered
    assert "(1)" in server.log()
    os.kill(master, signal.SIGTERM)
    assert server.wait_exit() == 0


def test_what_the_service_manager_is_told(start):
    """Its main process stays the same, from one readiness to the next, and is not missed meanwhile."""
    server = start("-w", "1", probe(), env={"WATCHDOG_USEC": "20000000"})
    server.notices.seen.clear()
    upgrade(server)
    server.notices.wait_for("READY=1", server.child)
    seen = "".join(server.notices.seen)
    assert "RELOADING=1" in seen.splitlines()
    assert re.findall(r"MAINPID=(\d+)", seen) == [str(server.pid)]
    assert re.findall(r"WATCHDOG_USEC=(\d+)", seen) == ["140000000", "20000000"]
    assert seen.index("WATCHDOG_USEC=2") < seen.rindex("WATCHDOG=1")
