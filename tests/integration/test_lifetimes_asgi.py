# SPDX-License-Identifier: MIT
"""Whatever an ASGI request has started ends with it, whoever ends it."""

import signal
import sys

import pytest

from harness import frames
from harness.client import Client
from harness.paths import ROOT
from harness.processes import fd_count
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"

STALLED = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc"


@pytest.fixture(params=["alone", "beside gevent"])
def serve(request, start, tmp_path):
    """Servers of the probe, and what is before its paths."""
    if request.param == "beside gevent":
        pytest.importorskip("gevent")

    def factory(*args):
        config = None
        arguments = ["-k", "async", "--python", sys.executable, "--pythonpath", APPS, *args]
        if request.param == "alone":
            arguments.append("lifetime_asgi:app")
        else:
            config = {"apps": {"/": "lifetime_wsgi", "/asgi": "lifetime_asgi:app"}}
        server = start(
            *arguments, config=config,
            env={"PYTHONDONTWRITEBYTECODE": "1", "PROBE_STOPPED": str(tmp_path / "stopped")},
        )
        server.prefix = "" if request.param == "alone" else "/asgi"
        return server

    return factory


def pid_of(server) -> str:
    return server.get(server.prefix + "/pid").text


def stalled(server, path: str) -> Client:
    client = server.client()
    client.send(STALLED % (server.prefix + path).encode())
    return client


def test_client_resets_before_the_stream_begins(serve):
    server = serve()
    before = pid_of(server)
    for _ in range(40):
        clients = [server.client() for _ in range(10)]
        for client in clients:
            client.request(server.prefix + "/events")
        for client in clients:
            client.reset()
    assert pid_of(server) == before


@pytest.mark.parametrize("path", ["/body", "/listening"])
def test_request_timeout_ends_what_receives(serve, tmp_path, path):
    server = serve("--request-timeout", 0.3)
    server.allow("request_timeout")
    before = pid_of(server)
    descriptors = fd_count(int(before))
    if path == "/body":
        clients = [stalled(server, path) for _ in range(20)]
    else:
        clients = [server.client() for _ in range(20)]
        for client in clients:
            client.request(server.prefix + path)
    assert [client.response().status for client in clients] == [504] * 20
    if path == "/body":
        # They keep their ends open and send nothing more: nobody waits for the rest of the bodies.
        wait_until(lambda: fd_count(int(before)) <= descriptors, "the connections are closed")
    for client in clients:
        client.close()
    assert pid_of(server) == before
    server.send(signal.SIGTERM)
    assert server.wait_exit() == 0
    assert (tmp_path / "stopped").read_text() == "stopped\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("path", ["/body", "/listening"])
def test_graceful_timeout_ends_what_receives(serve, tmp_path, number, path):
    server = serve("--graceful-timeout", 0.5)
    server.allow("graceful_timeout")
    before = pid_of(server)
    if path == "/body":
        client = stalled(server, path)
    else:
        client = server.client()
        client.request(server.prefix + path)
        # The next request is in the application after this one.
        assert pid_of(server) == before
    server.send(number)
    assert client.response().status == 503
    client.close()
    if number == signal.SIGHUP:
        wait_until(lambda: pid_of(server) != before, "a new worker answers")
        server.send(signal.SIGTERM)
    assert server.wait_exit() == 0
    assert "stopped\n" in (tmp_path / "stopped").read_text()


def test_tasks_that_are_left_behind(serve):
    server = serve()
    before = pid_of(server)
    with server.client() as client:
        for _ in range(20):
            assert client.get(server.prefix + "/orphans").text == "answered"
    # The answer comes although much of the body, which the left ones wait for, does not.
    clients = [stalled(server, "/orphans") for _ in range(10)]
    assert [client.response().text for client in clients] == ["answered"] * 10
    for client in clients:
        client.close()
    assert pid_of(server) == before


def test_cancelled_receive_is_forgotten(serve):
    server = serve()
    with server.client() as client:
        client.get(server.prefix + "/polls")
        assert int(client.get(server.prefix + "/polls").text) < 1024


@pytest.mark.parametrize("path", ["/closes_itself", "/sends_itself", "/throws_into_itself"])
def test_coroutine_that_is_used_from_inside(serve, path):
    server = serve()
    before = pid_of(server)
    assert server.get(server.prefix + path).text == "coroutine already executing"
    assert pid_of(server) == before


def test_websocket_that_closes_while_a_receive_begins(serve):
    server = serve()
    before = pid_of(server)
    for _ in range(20):
        with frames.RawSocket(server.address, server.prefix + "/") as ws:
            ws.send(frames.close_frame(1000))
            assert ws.close_code() == 1000
    assert pid_of(server) == before
