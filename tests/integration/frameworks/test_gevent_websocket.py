# SPDX-License-Identifier: MIT
"""Applications that use gevent-websocket, under -k async as under its GeventWebSocketWorker."""

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from harness.client import Client
from harness.frames import TEXT, RawSocket, close_frame, frame, handshake
from harness.waiting import LONG

# Its close frames have no code.
CLOSED = 1005


@pytest.fixture(scope="module")
def site(serve):
    return serve("async", "gevent_websocket_site:app")


def opened(server, path="/echo", **more):
    host, port = server.address
    return connect(f"ws://{host}:{port}{path}", open_timeout=LONG, close_timeout=LONG, **more)


def test_echo(site):
    with opened(site) as ws:
        for message in ("Größe", "x" * 100_000, b"\x00\xff"):
            ws.send(message)
            assert ws.recv(LONG) == message
    assert ws.close_code == CLOSED


def test_frames_right_behind_the_handshake(site):
    with RawSocket(site.address, "/echo", early=frame(TEXT, b"one") + frame(TEXT, b"two")) as ws:
        assert [ws.frame(), ws.frame()] == [(TEXT, b"one"), (TEXT, b"two")]
        ws.send(close_frame(1000))
        assert ws.close_code() == CLOSED


def test_the_server_ends_it(site):
    with opened(site, "/silent") as ws:
        assert list(ws) == ["hello"]
        assert ws.close_code == CLOSED


def test_many_talk_with_each_other(site):
    with opened(site, "/chat", subprotocols=["chat"]) as one, opened(site, "/chat", subprotocols=["chat"]) as two:
        assert one.subprotocol == two.subprotocol == "chat"
        two.send("I am here")
        assert two.recv(LONG) == "127.0.0.1 I am here"
        one.send("hello")
        assert [one.recv(LONG) for _ in range(2)] == ["127.0.0.1 I am here", "127.0.0.1 hello"]
        assert two.recv(LONG) == "127.0.0.1 hello"


def test_any_answer(site):
    with Client(site.address) as client:
        client.send(handshake("/refuses"))
        answer = client.response()
        assert (answer.status, answer.text) == (403, "True")
        for key in ("wrong", "AAAA", None):
            client.send(handshake("/refuses", key=key))
            assert client.response().text == "False"
        client.send(handshake("/keeps"))
        assert client.response().text == "kept"
        assert client.get("/uses_kept").text == "WebSocketError"
        assert client.get("/").status == 200


def test_failure(site):
    site.allow("on purpose|Error handling request GET /fails|Traceback")
    with opened(site, "/fails") as ws:
        ws.send("hi")
        with pytest.raises(ConnectionClosed):
            ws.recv(LONG)
    site.wait_log("ValueError: on purpose")


def test_vanishing_client(site):
    before = site.get("/").text
    for _ in range(3):
        ws = RawSocket(site.address, "/echo")
        ws.send(frame(TEXT, b"hi"))
        assert ws.frame() == (TEXT, b"hi")
        ws.client.reset()
    assert site.get("/").text == before
