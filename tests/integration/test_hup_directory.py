# SPDX-License-Identifier: MIT
"""Where the server is after HUP: `chdir`, seen from where it was started."""

import json
import os
import signal
import subprocess

import pytest

from harness.client import get
from harness.paths import BINARY, probe
from harness.server import clean_environment
from harness.waiting import wait_until
from test_process import free_port


def reload(server, expected: str = "Reload complete") -> None:
    before = server.log().count(expected)
    server.send(signal.SIGHUP)
    wait_until(lambda: server.log().count(expected) > before, expected)
    if expected == "Reload complete":
        server.wait_workers(1)


def folder_of(server) -> str:
    return server.get("/cwd").text


@pytest.fixture
def configured(start, tmp_path):
    """A server whose settings file is changed by change(**settings)."""
    base = {"app": probe(), "pidfile": "unicoro.pid"}
    server = start(config=base | {"chdir": "one"})

    def change(**settings):
        (tmp_path / "unicoro.json").write_text(json.dumps(base | settings))

    return server, change


@pytest.fixture(autouse=True)
def folders(tmp_path):
    for name in ("one", "two", "one/two"):
        (tmp_path / name).mkdir()


def test_a_relative_directory_stays(start, tmp_path):
    server = start("--chdir", "one", "--access-logfile", "access.log", probe())
    for _ in range(3):
        assert folder_of(server) == str(tmp_path / "one")
        reload(server)
    assert folder_of(server) == str(tmp_path / "one")
    assert (tmp_path / "one" / "access.log").exists()


def test_another_directory(configured, tmp_path):
    server, change = configured
    change(chdir="two")
    reload(server)
    assert folder_of(server) == str(tmp_path / "two")
    change()
    reload(server)
    assert folder_of(server) == str(tmp_path)


def test_a_refused_reload_leaves_everything_where_it_is(configured, tmp_path):
    server, change = configured
    server.allow("Reload")
    change(chdir="two", bind="unix:none/app.sock", workers=100_000)
    reload(server, "Reload refused")
    change(chdir="gone")
    reload(server, "Reload refused")
    (worker,) = server.workers()
    os.kill(worker, signal.SIGKILL)
    server.allow("SIGKILL")
    wait_until(lambda: server.workers() not in ([], [worker]), "another worker")
    assert folder_of(server) == str(tmp_path / "one")
    # A name that can only be found from the start.
    change(chdir="one")
    reload(server)


def test_an_application_that_does_not_load_there(configured, tmp_path):
    server, change = configured
    server.allow("Reload failed|failed|cannot|exited with")
    change(chdir="two", app="./libmissing.so:app")
    reload(server, "Reload failed")
    (worker,) = server.workers()
    os.kill(worker, signal.SIGKILL)
    server.allow("SIGKILL")
    wait_until(lambda: server.workers() not in ([], [worker]), "another worker")
    assert folder_of(server) == str(tmp_path / "one")


def test_files_of_the_master_are_found_again(configured, tmp_path):
    """The pidfile is removed where it was made, wherever the master is by then."""
    server, change = configured
    assert (tmp_path / "one" / "unicoro.pid").exists()
    change(chdir="two")
    reload(server)
    assert server.stop() == 0
    assert not (tmp_path / "one" / "unicoro.pid").exists()


def test_a_unix_socket_with_a_relative_path(start, tmp_path):
    config = {"app": probe(), "chdir": "one", "bind": "unix:app.sock"}
    server = start(config=config, listen=False)
    (tmp_path / "unicoro.json").write_text(json.dumps(config | {"chdir": "two", "umask": "0o177"}))
    reload(server)
    path = tmp_path / "one" / "app.sock"
    assert get(str(path), "/cwd").text == str(tmp_path / "two")
    assert path.stat().st_mode & 0o777 == 0o600
    assert server.stop() == 0
    assert not path.exists()


@pytest.mark.parametrize("chdir", [[], ["--chdir", "inner"]])
def test_a_link_that_leads_elsewhere_by_then(tmp_path, chdir):
    """As with gunicorn: a server started in `current` goes to the new release."""
    for name in ("first", "second"):
        (tmp_path / name / "inner").mkdir(parents=True)
    current = tmp_path / "current"
    current.symlink_to("first")
    port, log = free_port(), tmp_path / "log"
    options = [*chdir, "--error-logfile", log, "-b", f"127.0.0.1:{port}", probe()]
    server = subprocess.Popen(
        ["/bin/sh", "-c", f'cd "{current}" && exec "$@"', "sh", BINARY, *map(str, options)],
        env=clean_environment(), stdin=subprocess.DEVNULL,
    )
    try:
        inner = "inner" if chdir else ""
        wait_until(lambda: log.exists() and "Booting worker" in log.read_text(), "a worker boots")
        assert get(("127.0.0.1", port), "/cwd").text == str(tmp_path / "first" / inner)
        current.unlink()
        current.symlink_to("second")
        server.send_signal(signal.SIGHUP)
        wait_until(lambda: "Reload complete" in log.read_text(), "the reload")
        wait_until(
            lambda: get(("127.0.0.1", port), "/cwd").text == str(tmp_path / "second" / inner), "the new release"
        )
    finally:
        server.terminate()
        assert server.wait(10) == 0
