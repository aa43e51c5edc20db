# SPDX-License-Identifier: MIT
"""A child that the application forks is not the worker, whatever way it is made in whatever worker class."""

import json
import os
import signal
import socket
import sys

import pytest

from harness import processes
from harness.paths import FORK, ROOT

APPS = ROOT / "tests" / "integration" / "python_apps"
LOGGED = "Traceback|forked and its child process came back|KeyboardInterrupt"


def available(*modules):
    for each in modules:
        pytest.importorskip(each, exc_type=ImportError)


WSGI, ASGI = "fork_probe:application", "fork_probe:asgi"
BOTH = {"apps": {"/": WSGI, "/api": ASGI}}
# Name: arguments, configuration, where the application is, what it needs.
MODES = {
    "in line": (["-k", "sync", WSGI], None, "", []),
    "threads": (["--threads", 3, WSGI], None, "", []),
    "greenlets": (["-k", "async", WSGI], None, "", ["gevent"]),
    "eventlet": (["-k", "eventlet", WSGI], None, "", ["eventlet"]),
    "coroutines": (["-k", "async", "--interface", "asgi", ASGI], None, "", []),
    "threads of coroutines": (["-k", "async", "--interface", "asgi", ASGI], None, "/thread", []),
    "coroutines beside greenlets": (["-k", "async"], BOTH, "/api", ["gevent"]),
    "greenlets beside coroutines": (["-k", "async"], BOTH, "", ["gevent"]),
}
GREEN = {"greenlets", "eventlet", "coroutines beside greenlets", "greenlets beside coroutines"}


class Forking:
    """A server whose application forks, and the notes of its processes."""

    def __init__(self, start, mode, tmp_path, app=None):
        arguments, config, self.prefix, needs = MODES[mode]
        available(*needs)
        self.notes_path = tmp_path / "notes"
        self.notes_path.touch()
        if app is not None:
            arguments = [*arguments[:-1], app]
        self.server = start(
            "--python", sys.executable, "--pythonpath", APPS, "--blocked-loop-warning", 0,
            "--keep-alive", 60, *arguments,
            config=config,
            env={"PYTHONDONTWRITEBYTECODE": "1", "FORK_PROBE_NOTES": str(self.notes_path)},
        )
        self.server.allow(LOGGED)
        self.worker = self.server.workers()

    def get(self, target):
        with self.server.client(timeout=20) as client:
            answer = client.get(self.prefix + target)
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def notes(self):
        return [line.split() for line in self.notes_path.read_text().splitlines()]

    def check_worker(self):
        assert self.server.workers() == self.worker
        assert "Handling signal" not in self.server.log()


@pytest.fixture(params=MODES)
def forking(request, start, tmp_path):
    made = Forking(start, request.param, tmp_path)
    made.mode = request.param
    return made


def ways(mode):
    made = ["in_child", "in_process", "in_forkpty", "in_pty", "in_executor"]
    if mode in ("greenlets", "greenlets beside coroutines"):
        made.append("in_gevent_fork")
    # Its threads read from pipes without gevent's or eventlet's help, which stops the whole process.
    return made if mode in GREEN else [*made, "in_pool"]


def test_nothing_of_the_server_is_left(forking):
    kept = forking.server.client()
    kept.get(forking.prefix + "/pid")
    waiting = forking.server.client()
    waiting.send("GET /pid HTTP/1.1\r\n")
    for way in [*ways(forking.mode), "in_preexec"]:
        state = forking.get(f"/{way}/state")
        assert not [each for each in state["files"] if each.startswith("socket:")], way
        if forking.mode not in GREEN:
            assert not [each for each in state["files"] if each.startswith("anon_inode:")], way
        assert state["shared"] == [], way
        assert state["SigBlk"] == [], way
        assert {"SIGTERM", "SIGQUIT", "SIGUSR1"}.isdisjoint(state["SigCgt"]), way
        assert state["wakeup"] == -1, way
    waiting.send("Host: a\r\n\r\n")
    assert waiting.response().status == 200
    assert kept.get(forking.prefix + "/pid").status == 200
    for client in (kept, waiting):
        client.close()
    forking.check_worker()


def test_what_a_child_waits_for_works(forking):
    wanted = {
        "sleep": True,
        "sockets": "WORDS",
        "inherited_sockets": ["from the parent", "from the child"],
        "programs": "heard\n",
        "locks": ["put", "locked", True] * 2,
        "pools": 45,
        "asyncio_run": [0, 5],
        "asyncio_sockets": "WORDS\n",
        "logs": True,
    }
    for what, result in wanted.items():
        assert forking.get(f"/in_child/{what}") == result, what
    for way in ways(forking.mode):
        assert forking.get(f"/{way}/locks") == wanted["locks"], way
    assert forking.get("/in_child/nested") == [True, True]
    assert "printed by the child\n" in forking.server.output()
    assert "logged by the child\n" in forking.server.log()
    forking.check_worker()


def test_signals_to_a_child_are_its_own(forking):
    """Python turns SIGINT into an exception in every child."""
    with forking.server.client() as other:
        for name, code in (("SIGTERM", -15), ("SIGQUIT", -3), ("SIGUSR1", -10), ("SIGINT", 1)):
            at_once, later = forking.get(f"/signalled/{name}")
            assert later == code, name
            # Python drops an exception that comes in the middle of its own work behind a fork.
            assert at_once == code or (name == "SIGINT" and at_once is None), name
            assert other.get(forking.prefix + "/pid").status == 200
    forking.check_worker()


@pytest.mark.parametrize("mode", ["greenlets", "greenlets beside coroutines"])
def test_a_child_is_interrupted_in_a_switch(start, tmp_path, mode):
    """What watches switches is Python code, which an exception may come upon."""
    forking = Forking(start, mode, tmp_path)
    assert forking.get("/interrupted") == 1
    forking.check_worker()


def test_a_child_ends_as_it_likes(forking):
    with forking.server.client() as client:
        for target, code in (("/in_return/exits", 3), ("/in_return/sleep", 1), ("/in_return/comes_back", 1)):
            assert json.loads(client.get(forking.prefix + target).body) == code
        assert client.get(forking.prefix + "/pid").status == 200
    assert "buffered by the child\n" in forking.server.output()
    assert "came back to the server" in forking.server.log()
    kinds = [" ".join(words[:-1]) for words in forking.notes()]
    assert kinds == ["atexit of the child"], "what the parent has registered is the parent's"
    forking.check_worker()
    pid = str(forking.worker[0])
    forking.server.stop()
    assert forking.notes()[1:] == [["atexit", pid]]


@pytest.mark.parametrize("mode", ["threads", "greenlets", "eventlet"])
def test_a_child_cannot_answer(start, tmp_path, mode):
    forking = Forking(start, mode, tmp_path)
    with forking.server.client() as client:
        client.send(
            "POST /in_child/talks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
        )
        seen = json.loads(client.response().body)
        # Threads have the whole body before.
        assert seen == ["ConnectionError", None if mode == "threads" else "ConnectionError"]
        assert client.get("/pid").status == 200


def test_a_child_that_stays_holds_no_socket(forking):
    """It outlives the request, and the worker; the port is free, and clients see the end of their connections."""
    server = forking.server
    kept = server.client()
    kept.get(forking.prefix + "/pid")
    with server.client() as client:
        client.request(forking.prefix + "/orphan", headers=[("Connection", "close")])
        orphan = json.loads(client.response().body)
        assert client.closed_by_server()
    try:
        assert server.stop() == 0
        assert kept.closed_by_server()
        assert processes.alive(orphan)
        with socket.create_server(server.address):
            pass
    finally:
        kept.close()
        os.kill(orphan, signal.SIGKILL)
        os.waitpid(orphan, 0)


@pytest.mark.parametrize("mode", ["greenlets", "eventlet"])
def test_neighbours_do_not_go_on_in_a_child(start, tmp_path, mode):
    """A child whose neighbours wait for the same locks, queues and sockets has them for itself."""
    forking = Forking(start, mode, tmp_path, app="neighbour_probe")
    others = [forking.server.client() for _ in range(2)]
    others[0].request("/stream")
    others[1].send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nbegin")
    worker, code, seen = forking.get("/")
    assert seen == ["locked", "item", "simple", True, True, "first"]
    assert code == 7
    assert others[0].response().body.count(b"\n") == 20
    others[1].send(b"x" * 99995)
    assert others[1].response().body == b"100000"
    notes = forking.notes()
    assert {pid for _, pid in notes} == {str(worker)}
    went_on = {name for name, _ in notes}
    assert {"a_while", "a_timer", "begun_late", "a_stream", "an_upload", "a_program"} <= went_on
    for client in others:
        client.close()


def test_a_child_of_the_master_is_not_the_master(start, tmp_path):
    """With preload_app the application may fork while it is imported."""
    result = tmp_path / "state"
    server = start(
        "-k", "sync", "--preload", "--python", sys.executable, "--pythonpath", APPS, "fork_import_probe",
        env={"PYTHONDONTWRITEBYTECODE": "1", "FORK_PROBE_NOTES": str(tmp_path / "notes"),
             "FORK_PROBE_STATE": str(result)},
    )
    state = json.loads(result.read_text())
    assert not [each for each in state["files"] if each.startswith(("socket:", "anon_inode:"))]
    assert state["shared"] == state["SigBlk"] == []
    assert int(server.get("/").body) == -signal.SIGTERM


def test_native_children(start):
    server = start("-k", "async", FORK)
    server.allow("forked and its child process came back")
    worker = server.workers()
    with server.client() as client:
        assert client.get("/left").text == ""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGPIPE):
            assert client.get(f"/signal?number={int(number)}").text == str(int(number))
        assert client.get("/exit?code=7").text == "7"
        # The rest comes back to the server in one way or another.
        for target in ("/return", "/throw", "/wait", "/write"):
            assert client.get(target).text == "1", target
    assert server.workers() == worker
    assert server.log().count("came back to the server") == 4
