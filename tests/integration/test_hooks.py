# SPDX-License-Identifier: MIT
"""gunicorn's server hooks (`hooks`), and what is preloaded (`preload_app`)."""

import os
import signal
import sys
from pathlib import Path

import pytest

from harness.upgrades import upgrade
from harness.waiting import wait_until

APPS = Path(__file__).parent / "python_apps"
EVERY = [
    "on_starting", "on_reload", "when_ready", "pre_fork", "post_fork", "post_worker_init", "worker_int",
    "worker_exit", "child_exit", "nworkers_changed", "on_exit", "pre_request", "post_request",
]


class Noted:
    def __init__(self, path):
        self.path = path

    def lines(self, name=None):
        text = self.path.read_text() if self.path.exists() else ""
        found = [line.split(" ") for line in text.splitlines()]
        return [line for line in found if name in (None, line[0])]

    def names(self):
        return [line[0] for line in self.lines()]


@pytest.fixture
def notes(tmp_path):
    return Noted(tmp_path / "notes")


@pytest.fixture
def hooked(start, notes):
    def make(hooks, *args, app="hooks_probe:app", config=None, **more):
        if not isinstance(hooks, dict):
            hooks = {name: f"hooks_probe:{name}" for name in hooks}
        env = {"HOOK_NOTES": str(notes.path), "PYTHONDONTWRITEBYTECODE": "1"}
        return start("--pythonpath", APPS, "--python", sys.executable, *args, app, config={"hooks": hooks} | (config or {}), env=env, **more)

    return make


def test_before_an_upgrade(hooked, notes):
    server = hooked(["pre_exec"], "-k", "sync")
    upgrade(server)
    assert notes.lines("pre_exec") == [["pre_exec", str(server.pid), str(server.pid)]]


@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"], ["--threads", "2"]])
def test_the_life_of_a_server(hooked, notes, worker):
    server = hooked(EVERY, *worker, "-w", "2")
    master = str(server.pid)
    workers = {str(pid) for pid in server.workers()}
    with server.client() as client:
        assert client.get("/?a=b", headers=[("X-Probe", "yes")]).text == "probe"
        assert client.get("/second").status == 200
    os.kill(server.pid, signal.SIGTTIN)
    # One that is told to end before that has no time for worker_exit.
    wait_until(lambda: server.log().count("Worker ready") == 3, "a third worker is ready")
    assert server.stop() == 0
    assert notes.names()[0] == "on_starting"
    assert notes.lines("on_starting") == [["on_starting", master, master, "2"]]
    assert notes.lines("when_ready")[0][1:] == [master, "2"]
    assert [line[1:] for line in notes.lines("pre_fork")] == [[master, master, str(age)] for age in (1, 2, 3)]
    forked = notes.lines("post_fork")
    assert all(line[1] == line[3] and line[2] == master for line in forked)
    assert sorted(line[4] for line in forked) == ["1", "2", "3"]
    assert workers <= {line[1] for line in forked}
    assert {line[1] for line in notes.lines("post_worker_init")} == {line[1] for line in forked}
    assert {line[1] for line in notes.lines("worker_exit")} == {line[1] for line in forked}
    assert {tuple(line[1:]) for line in notes.lines("child_exit")} == {(master, line[1]) for line in forked}
    changes = [line[2:] for line in notes.lines("nworkers_changed")]
    assert changes[:2] == [["2", "None"], ["3", "2"]]
    assert notes.lines("on_exit") == [["on_exit", master, master]]
    assert notes.names()[-1] == "on_exit"
    first = notes.lines("pre_request")[0]
    assert first[3:] == ["GET", "/", "a=b", "yes", "1"]
    assert [line[3:] for line in notes.lines("post_request")] == [["/", "GET", "200", "5"], ["/second", "GET", "200", "5"]]
    assert "hook says: starting with 2 workers" in server.log()


def test_asgi_requests(hooked, notes):
    server = hooked(["pre_request", "post_request"], app="hooks_probe:asgi")
    with server.client() as client:
        client.get("/asgi", headers=[("X-Probe", "yes")])
    wait_until(lambda: notes.lines("post_request"), "post_request has run")
    assert notes.lines("pre_request")[0][3:5] == ["GET", "/asgi"]
    assert notes.lines("post_request")[0][3:6] == ["/asgi", "GET", "200"]


def test_hooks_of_the_workers_are_not_imported_in_the_master(hooked, notes):
    server = hooked(["post_fork", "worker_exit"])
    worker = str(server.workers()[0])
    assert server.get("/facts").text.split()[:2] == [worker, worker]
    assert notes.lines("post_fork")[0][2] == str(server.pid)


def test_worker_int(hooked, notes):
    server = hooked(["worker_int", "post_worker_init"])
    (worker,) = server.workers()
    os.kill(worker, signal.SIGINT)
    wait_until(lambda: notes.lines("worker_int"), "the hook has run")
    assert notes.lines("worker_int") == [["worker_int", str(worker), str(worker)]]
    wait_until(lambda: len(notes.lines("post_worker_init")) == 2, "another worker has booted")


def test_worker_abort(hooked, notes):
    server = hooked(["worker_abort"], "-t", "1", "-k", "sync")
    server.allow("WORKER TIMEOUT|SIGABRT|In flight|Fatal Python error|Current thread|File|Extension|^$")
    server.allow("Error handling request|Traceback|exited with code 1")
    (worker,) = server.workers()
    with server.client() as client:
        client.request("/busy")
        wait_until(lambda: notes.lines("worker_abort"), "the hook has run")
    assert notes.lines("worker_abort") == [["worker_abort", str(worker), str(worker)]]
    wait_until(lambda: "in app" in server.log(), "the stack is in the log")


def test_hook_that_refuses_a_request(hooked):
    server = hooked(["pre_request"])
    server.allow("the hook refuses|Traceback|Error handling request /refused|Error handling")
    with server.client() as client:
        assert client.get("/refused").status == 500
        assert client.get("/").status == 200


def test_older_form_of_post_request(hooked, notes):
    server = hooked({"post_request": "hooks_probe:short_post_request"})
    with server.client() as client:
        assert client.get("/x").status == 200
    wait_until(lambda: notes.lines("short"), "the hook has run")


def test_hook_in_a_file(start, tmp_path):
    file = tmp_path / "gunicorn.conf.py"
    file.write_text("import sys\ndef post_fork(server, worker):\n    server.log.warning('from %s', __file__)\n")
    server = start("--pythonpath", APPS, "hooks_probe:app", config={"hooks": {"post_fork": f"{file}:post_fork"}})
    server.wait_log(f"from {file}")
    assert not (tmp_path / "__pycache__").exists()


@pytest.mark.parametrize(
    ("hook", "function", "message"),
    [
        ("post_fork", "hooks_probe:broken", "this hook is broken"),
        ("on_starting", "hooks_probe:broken", "this hook is broken"),
        ("post_fork", "hooks_probe:missing", "there is no 'missing' in hooks_probe"),
        ("when_ready", "no_such_module:f", "No module named 'no_such_module'"),
        ("pre_fork", "hooks_probe:not_callable", "is an int, which is not callable"),
    ],
)
def test_hooks_that_fail_at_the_start(start, hook, function, message):
    server = start("--pythonpath", APPS, "hooks_probe:app", config={"hooks": {hook: function}}, ready=False)
    server.allow(".")
    assert server.wait_exit() == 3
    assert message in server.log()


def test_later_failures_are_logged(hooked):
    server = hooked({"when_ready": "hooks_probe:broken", "child_exit": "hooks_probe:broken"})
    server.allow("this hook is broken|a server hook failed|Traceback|File|raise")
    server.wait_log(r"a server hook failed \(when_ready\)")
    os.kill(server.workers()[0], signal.SIGTERM)
    server.wait_log(r"a server hook failed \(child_exit\)")
    with server.client() as client:
        assert client.get("/").status == 200


@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"], ["--threads", "2"], ["-k", "eventlet"]])
def test_preload(start, worker):
    server = start("--pythonpath", APPS, "--python", sys.executable, "--preload", *worker, "-w", "2", "hooks_probe:app")
    with server.client() as client:
        loaded, pid, told, threads = client.get("/facts").text.split()
    assert [int(loaded)] == server.preloaders()
    assert int(pid) in server.workers()
    assert told == "True"
    before = server.workers()
    os.kill(server.pid, signal.SIGHUP)
    wait_until(lambda: len(server.workers()) == 2 and not set(server.workers()) & set(before), "new workers")
    wait_until(lambda: len(now := server.preloaders()) == 1 and now != [int(loaded)], "another has loaded it")
    with server.client() as client:
        assert [int(client.get("/facts").text.split()[0])] == server.preloaders()


def test_where_hooks_run_with_preload(hooked, notes):
    server = hooked(EVERY, "--preload", "-w", "2")
    master, (holder,), workers = str(server.pid), server.preloaders(), {str(pid) for pid in server.workers()}
    ended = server.workers()[0]
    os.kill(ended, signal.SIGKILL)
    server.allow("SIGKILL")
    wait_until(lambda: notes.lines("child_exit"), "child_exit")
    server.wait_log("Worker ready(.|\n)*Worker ready(.|\n)*Worker ready")
    assert server.stop() == 0
    assert notes.names()[0] == "on_starting"
    for name in ("on_starting", "when_ready", "child_exit", "nworkers_changed", "on_exit"):
        assert {line[1] for line in notes.lines(name)} == {master}, name
    assert [line[1:] for line in notes.lines("pre_fork")] == [[str(holder), master, str(age)] for age in (1, 2, 3)]
    assert {line[1] for line in notes.lines("post_fork")} > workers
    assert {line[2] for line in notes.lines("post_fork")} == {master}
    assert notes.lines("child_exit")[0][2] == str(ended)


def test_preload_of_asgi(start):
    server = start("--pythonpath", APPS, "--preload", "hooks_probe:asgi")
    with server.client() as client:
        loaded, pid = client.get("/").text.split()
    assert ([int(loaded)], [int(pid)]) == (server.preloaders(), server.workers())


def test_preload_fails_as_a_whole(start, tmp_path):
    (tmp_path / "bad.py").write_text("raise ValueError('not today')\n")
    server = start("--pythonpath", tmp_path, "--preload", "bad:app", ready=False)
    server.allow(".")
    assert server.wait_exit() == 4
    assert "ValueError: not today" in server.log()
    assert "Booting worker" not in server.log()


def test_preload_with_threads_and_greenlets_says_so(start, tmp_path):
    (tmp_path / "lively.py").write_text(
        "import threading, time, gevent\n"
        "threading.Thread(target=time.sleep, args=(3600,), daemon=True, name='poller').start()\n"
        "waits = gevent.spawn(gevent.sleep, 3600)\n"
        "def app(environ, start_response):\n"
        "    gevent.sleep(0.01)\n"
        "    start_response('200 OK', [])\n"
        "    return [b'alive']\n"
    )
    server = start("--pythonpath", tmp_path, "--python", sys.executable, "--preload", "-k", "async", "lively:app")
    server.wait_log("the application started")
    with server.client() as client:
        assert client.get("/").text == "alive"


def test_settings_that_the_master_holds(start, tmp_path):
    server = start("--pythonpath", APPS, "hooks_probe:app", config={"hooks": {"when_ready": "hooks_probe:when_ready"}})
    config = server.folder / "unicoro.json"
    config.write_text("{}")
    server.allow("hooks: cannot|Reload refused")
    before = server.workers()
    os.kill(server.pid, signal.SIGHUP)
    server.wait_log("hooks: cannot change while the master runs")
    assert server.workers() == before
