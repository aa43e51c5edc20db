# SPDX-License-Identifier: MIT
"""WSGI on greenlets and ASGI on asyncio in one worker, on its one io_context (-k async, apps)."""

import json
import sys
import time

import pytest
from websockets.sync.client import connect

from harness.paths import ROOT, probe
from harness.waiting import wait_until

pytest.importorskip("gevent")

APPS = ROOT / "tests" / "integration" / "python_apps"


@pytest.fixture
def serve(start):
    def factory(*args, apps=None):
        mounted = {"/": "mixed_probe:wsgi", "/api": "mixed_probe:asgi", "/fast": probe()}
        return start(
            "--python", sys.executable, "--pythonpath", APPS, "-k", "async", *args,
            config={"apps": apps or mounted}, env={"PYTHONDONTWRITEBYTECODE": "1"},
        )

    return factory


@pytest.fixture
def server(serve):
    return serve()


def at_once(server, paths):
    clients = [server.client() for _ in paths]
    for client, path in zip(clients, paths):
        client.request(path)
    answers = [client.response() for client in clients]
    for client in clients:
        client.close()
    return answers


def test_each_is_served_by_its_own(server):
    with server.client() as client:
        for _ in range(3):
            assert client.get("/").text == "wsgi"
            assert client.get("/api/hello").text == "hello"
            assert client.get("/fast/print").status == 200
    assert json.loads(server.get("/api/seen").text) == ["lifespan.startup"]


def test_both_sleep_together(server):
    """One after the other they would take 40 s."""
    begin = time.monotonic()
    answers = at_once(server, ["/sleep", "/api/sleep"] * 100)
    assert [each.status for each in answers] == [200] * 200
    assert time.monotonic() - begin < 5


def test_a_greenlet_waits_for_a_task(server):
    with server.client() as waiting:
        waiting.request("/wait?a")
        assert server.get("/api/open?a").text == "opened"
        assert waiting.response().text == "opened"


def test_they_ask_each_other_over_the_network(server):
    assert server.get("/ask").text == "hello"
    assert server.get("/api/ask").text == "no loop"


def test_asyncio_in_a_greenlet(server):
    """asyncio.run() of a WSGI application, as Flask's async views call it, while ASGI requests wait."""
    with server.client() as waiting:
        waiting.request("/api/sleep")
        assert server.get("/loop").text == "no loop"
        assert server.get("/asyncio").text == "42"
        assert waiting.response().text == "slept"


def test_asyncio_in_many_greenlets_and_tasks_at_once(server):
    paths = ["/asyncio", "/api/sleep", "/api/thread", "/api/ask", "/loop"] * 20
    answers = at_once(server, paths)
    expected = {"/asyncio": "42", "/api/sleep": "slept", "/api/thread": "from a thread",
                "/api/ask": "no loop", "/loop": "no loop"}
    assert [(path, each.text) for path, each in zip(paths, answers)] == [(path, expected[path]) for path in paths]


def test_greenlets_beside_a_coroutine_that_blocks(server):
    with server.client() as blocking:
        blocking.request("/api/blocks")
        assert [each.text for each in at_once(server, ["/asyncio", "/loop"] * 3)] == ["42", "no loop"] * 3
        assert blocking.response().text == "blocked"


def test_threads_and_processes(server):
    answers = at_once(server, ["/api/thread"] * 20)
    assert [each.text for each in answers] == ["from a thread"] * 20
    assert server.get("/api/process").text == "from a child"


def test_a_child_that_gevent_has_collected(server):
    """asyncio opens a pidfd of its child from Python 3.12 on; the child may be no more by then. An
    application that opens one itself is told so."""
    assert server.get("/api/process_that_ended").text == "7"
    assert server.get("/api/process_that_just_ended").text == "7"
    assert server.get("/pidfd").text == "no such process"


def test_blocking_calls_in_coroutines(server):
    """They hold up asyncio, as everywhere, but not the greenlets."""
    answers = at_once(server, ["/api/blocks", "/sleep", "/api/blocks", "/sleep", "/api/hello"] * 5)
    assert [each.status for each in answers] == [200] * 25


def test_executor_waits_for_greenlets(server):
    with server.client() as waiting:
        waiting.request("/api/blocking-waits?b")
        assert server.get("/api/hello").text == "hello"
        assert server.get("/api/open?b").text == "opened"
        assert waiting.response().text == "True"


def test_busy_tasks_leave_room_for_greenlets(server):
    with server.client() as busy:
        busy.request("/api/busy")
        assert server.get("/sleep").text == "wsgi"
        assert busy.response().text == "busy no more"


def test_callbacks_and_idleness(server):
    assert server.get("/api/background").text == "begun"
    wait_until(lambda: "later" in json.loads(server.get("/api/seen").text), "the callback has run")


def test_request_timeout_of_both(serve):
    server = serve("--request-timeout", "0.5")
    server.allow("request_timeout|RequestCancelled|CancelledError|Traceback")
    answers = at_once(server, ["/forever", "/api/forever"] + ["/", "/api/hello"] * 20)
    assert [each.status for each in answers] == [504, 504] + [200] * 40
    assert "cancelled" in json.loads(server.get("/api/seen").text)


def test_websocket_beside_greenlets(server):
    host, port = server.address
    with connect(f"ws://{host}:{port}/api/ws", proxy=None) as socket, server.client() as waiting:
        waiting.request("/wait?c")
        for number in range(100):
            socket.send(f"message {number}")
            assert socket.recv() == f"MESSAGE {number}"
        server.get("/api/open?c")
        assert waiting.response().text == "opened"


def test_end_in_order(server):
    server.get("/api/background")
    assert server.get("/sleep").status == 200
    assert server.stop() == 0
    assert "shut down in order" in server.output()


def test_end_while_a_coroutine_blocks(serve):
    server = serve("--graceful-timeout", "0.5")
    server.allow(".")
    with server.client() as client:
        client.request("/api/blocks-for-long")
        assert server.get("/sleep").text == "wsgi"
        assert server.stop() == 0


def test_django_like_single_asgi_that_was_not_guessed(start, tmp_path):
    """Its source does not say that it is ASGI: gevent is patched for nothing, and it is served."""
    (tmp_path / "hidden.py").write_text("import mixed_probe\napp = getattr(mixed_probe, 'as' + 'gi')\n")
    server = start(
        "--python", sys.executable, "--pythonpath", f"{APPS},{tmp_path}", "-k", "async", "hidden:app",
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert server.get("/hello").text == "hello"


def test_idle_worker_uses_no_cpu(server):
    at_once(server, ["/sleep", "/api/sleep"] * 5)
    (worker,) = server.workers()

    def ticks():
        fields = open(f"/proc/{worker}/stat").read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def calm():
        before = ticks()
        time.sleep(0.3)
        return ticks() - before <= 1

    wait_until(calm, "the worker sleeps")
