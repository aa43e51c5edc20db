# SPDX-License-Identifier: MIT
"""USR2 to a worker: every request in flight, how old it is and where."""

import os
import re
import signal
import sys

import pytest

from harness.frames import handshake
from harness.paths import ROOT, probe
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
PYTHON = ("--python", sys.executable, "--pythonpath", APPS)

KINDS = {
    "gthread": ("-k", "gthread", "--threads", 3, "admission_probe:app"),
    "async": ("-k", "async", "admission_probe:app"),
    "eventlet": ("-k", "eventlet", "admission_probe:app"),
    "asgi": ("-k", "sync", "--interface", "asgi", "admission_probe:asgi"),
    "asgi beside gevent": ("-k", "async", "--interface", "asgi", "admission_probe:asgi"),
}
NEEDED = {"async": "gevent", "eventlet": "eventlet", "asgi beside gevent": "gevent"}


@pytest.fixture
def serve(start):
    def make(*args, **settings):
        return start(*args, config=settings, env={"PYTHONDONTWRITEBYTECODE": "1"})

    return make


def ask(server):
    (worker,) = server.workers()
    os.kill(worker, signal.SIGUSR2)


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_told_of(serve, tmp_path, kind):
    if kind in NEEDED:
        pytest.importorskip(NEEDED[kind], exc_type=ImportError)
    server = serve(*PYTHON, *KINDS[kind])
    gate = tmp_path / "open"
    with server.client() as first, server.client() as second:
        for client in (first, second):
            client.request(f"/admitted?until={gate}&password=secret")
        wait_until(lambda: ask(server) or "Requests in flight: 2" in server.log(), "both are in the application")
        found = server.wait_log(r"In flight: GET /admitted for \d+\.\d\d s; it is here:\n((?:  .*\n)+)")
        # A thread may be just between two of its sleeps.
        assert "admission_probe.py" in found[1] and re.search(r"sleep\(pause\)|wait_for_file", found[1])
        assert "secret" not in server.log()
        gate.write_text("")
        assert [client.response().status for client in (first, second)] == [200, 200]
    before = server.log().count("Requests in flight: 0")
    ask(server)
    wait_until(lambda: server.log().count("Requests in flight: 0") > before, "none is left")


def test_code_that_holds_the_loop(serve, tmp_path):
    server = serve(*PYTHON, "-k", "sync", "admission_probe:app")
    gate = tmp_path / "open"
    with server.client() as client:
        client.request(f"/admitted?until={gate}")
        wait_until(lambda: ask(server) or "admission_probe.py" in server.log(), "the stack is told")
        assert re.search(r'File ".*admission_probe.py", line \d+ in app', server.log())
        gate.write_text("")
        assert client.response().status == 200
        assert client.get("/admitted").status == 200


def test_one_that_waits_for_its_place(serve, tmp_path):
    server = serve(*PYTHON, *KINDS["gthread"], max_concurrent_requests=1)
    gate = tmp_path / "open"
    with server.client() as first, server.client() as second:
        first.request(f"/admitted?until={gate}")
        wait_until(lambda: ask(server) or "Requests in flight: 1" in server.log(), "the first one runs")
        second.request("/second")
        wait_until(lambda: ask(server) or "Requests in flight: 2" in server.log(), "the second one has come")
        server.wait_log(r"In flight: GET /second for \d+\.\d\d s, waiting for its place\n")
        gate.write_text("")
        assert [client.response().status for client in (first, second)] == [200, 200]


def test_no_thread_can_be_had_for_it(serve, few_processes, tmp_path):
    """What is in threads of the application cannot be looked at then, and the worker goes on."""
    server = serve(*PYTHON, *KINDS["gthread"])
    (worker,) = server.workers()
    gate = tmp_path / "open"
    with server.client() as client:
        client.request(f"/admitted?until={gate}")
        wait_until(lambda: ask(server) or "Requests in flight: 1" in server.log(), "it is in the application")
        group = few_processes([worker], 1)
        ask(server)
        server.wait_log("1 of them run in threads, and cannot be looked at: Resource temporarily unavailable")
        gate.write_text("")
        assert client.response().status == 200
        (group / "pids.max").write_text("max")
    assert server.stop() == 0


def test_a_websocket(serve):
    server = serve(*PYTHON, *KINDS["asgi"])
    with server.client() as client:
        client.send(handshake("/socket"))
        assert client.head().status == 101
        wait_until(lambda: ask(server) or "Requests in flight: 1" in server.log(), "it is open")
        server.wait_log(r"In flight: GET /socket for .*; it is here:\n")


def test_a_native_application(serve, gate):
    server = serve(probe())
    with server.client() as client:
        client.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        ask(server)
        server.wait_log(r"In flight: GET /hold for \d+\.\d\d s")
        gate.release()
        assert client.response().status == 200


def test_a_handler_of_the_application(serve, tmp_path):
    (tmp_path / "own.py").write_text(
        "import signal, sys\nfrom admission_probe import app\n"
        "signal.signal(signal.SIGUSR2, lambda *_: print('mine', file=sys.stderr, flush=True))\n"
    )
    server = serve(*PYTHON[:3], f"{APPS},{tmp_path}", "-k", "async", "own:app")
    ask(server)
    server.wait_log("mine")
    assert server.get("/").status == 200
