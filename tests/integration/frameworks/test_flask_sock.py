# SPDX-License-Identifier: MIT
"""Flask-Sock and simple-websocket in every worker class, with the clients that people use."""

import contextlib
import signal

import pytest
import websocket
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from harness.client import Client
from harness.frames import CLOSE, TEXT, RawSocket, close_frame, frame
from harness.waiting import LONG, wait_until

CLASSES = ["sync", "gthread", "async", "eventlet"]
# A WebSocket does not keep the worker from others.
CONCURRENT = CLASSES[1:]


@pytest.fixture(scope="module", params=CLASSES)
def site(request, serve):
    return serve(request.param, "flask_sock_site:app")


@pytest.fixture(scope="module", params=CONCURRENT)
def concurrent_site(request, serve):
    return serve(request.param, "flask_sock_site:app", *THREADS.get(request.param, ()))


@pytest.fixture(params=CONCURRENT)
def fresh_site(request, serve):
    return lambda *args: serve(request.param, "flask_sock_site:app", *args)


THREADS = {"gthread": ("--threads", "24")}


def url(server, path):
    host, port = server.address
    return f"ws://{host}:{port}{path}"


def opened(server, path="/echo", **more):
    return connect(url(server, path), open_timeout=LONG, close_timeout=LONG, **more)


def test_echo(site):
    for compression in (None, "deflate"):
        with opened(site, "/echo?name=echo", compression=compression) as ws:
            for message in ("Größe", b"\x00\xff" * 10, "x" * 100_000, ""):
                ws.send(message)
                assert ws.recv(LONG) == message
        assert ws.close_code == 1000
    assert "echo:1000" in site.get("/").text


def test_the_other_client(site):
    ws = websocket.create_connection(url(site, "/echo?name=other"), timeout=LONG)
    ws.send("hello")
    assert ws.recv() == "hello"
    ws.ping("are you there")
    ws.send_binary(b"bytes")
    # The pong comes first.
    assert ws.recv() == b"bytes"
    ws.close(status=3001, timeout=LONG)
    assert "other:3001" in site.get("/").text


def test_every_close_is_answered(site):
    for _ in range(40):
        with opened(site) as ws:
            ws.send("hi")
            assert ws.recv(LONG) == "hi"
        assert ws.close_code == 1000


def test_closed_by_the_application(site):
    with opened(site, "/closes") as ws:
        ws.send("hi")
        assert ws.recv(LONG) == "HI"
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(LONG)
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "enough")
    with opened(site, "/returns") as ws:
        assert list(ws) == ["all there is"]
        assert ws.close_code == 1000


def test_frames_right_behind_the_handshake(site):
    with RawSocket(site.address, "/echo", early=frame(TEXT, b"one") + frame(TEXT, b"two")) as ws:
        assert [ws.frame(), ws.frame()] == [(TEXT, b"one"), (TEXT, b"two")]
        ws.send(frame(TEXT, b"three"))
        assert ws.frame() == (TEXT, b"three")
        ws.send(close_frame(1000))
        assert ws.close_code() == 1000
    early = frame(TEXT, b"one") + close_frame(1000)
    with RawSocket(site.address, "/echo", early=early) as ws:
        assert ws.frame()[0] in (TEXT, CLOSE)


def test_pings_and_subprotocols(site):
    with opened(site, "/pinging", subprotocols=["coffee", "water"]) as ws:
        assert ws.recv(LONG) == "coffee"
        # Longer than three of its pings.
        for _ in range(3):
            with pytest.raises(TimeoutError):
                ws.recv(0.15)
        ws.send("still here")
        assert ws.recv(LONG) == "still here"
    with RawSocket(site.address, "/pinging", early=frame(TEXT, b"early")) as ws:
        assert ws.frame()[1] == b"None"
        assert ws.frame() == (TEXT, b"early")


def test_two_threads_speak(site):
    with opened(site, "/two_speakers") as ws:
        assert [ws.recv(LONG) for _ in range(10)] == ["tick"] * 10
        ws.send("stop")
        wait_until(lambda: ws.recv(LONG) == "stopped", "it has stopped")


def test_vanishing_client(site):
    before = site.get("/").text.split()[0]
    for _ in range(5):
        ws = RawSocket(site.address, "/echo?name=gone")
        ws.send(frame(TEXT, b"hi"))
        assert ws.frame() == (TEXT, b"hi")
        ws.client.reset()
    assert site.get("/").text.split()[0] == before


def test_failure(serve, site):
    site.allow("on purpose|ERROR in app|Traceback")
    with opened(site, "/fails") as ws:
        ws.send("hi")
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(LONG)
        # Nothing of Flask's page came.
        assert closed.value.rcvd is None
    site.wait_log("ValueError: on purpose")


def test_no_websocket(site):
    with Client(site.address) as client:
        assert client.get("/").status == 200
        # For its routes too, Flask answers what is none; a route that is none is not found.
        assert client.get("/echo").status >= 400
        client.send("GET /nowhere HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        assert client.response().status == 404
        assert client.get("/").status == 200


def test_many_at_once(concurrent_site):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(opened(concurrent_site)) for _ in range(20)]
        for round_ in range(3):
            for number, ws in enumerate(sockets):
                ws.send(f"{round_} {number}")
            assert concurrent_site.get("/").status == 200
            for number, ws in enumerate(sockets):
                assert ws.recv(LONG) == f"{round_} {number}"


def test_reload(fresh_site):
    server = fresh_site()
    with opened(server) as ws:
        server.send(signal.SIGHUP)
        with pytest.raises(ConnectionClosed):
            ws.recv(LONG)
    with opened(server) as ws:
        ws.send("the new worker")
        assert ws.recv(LONG) == "the new worker"
    server.wait_log("Worker exiting")


def test_stop(fresh_site):
    server = fresh_site()
    with opened(server) as ws:
        server.send(signal.SIGTERM)
        with pytest.raises(ConnectionClosed):
            ws.recv(LONG)
        assert server.wait_exit() == 0


def test_max_requests(fresh_site):
    server = fresh_site("--max-requests", "2")
    first = server.workers()
    for _ in range(2):
        with opened(server) as ws:
            ws.send("hi")
            assert ws.recv(LONG) == "hi"
    wait_until(lambda: server.workers() and server.workers() != first, "another worker")
    with opened(server) as ws:
        ws.send("hi")
        assert ws.recv(LONG) == "hi"
