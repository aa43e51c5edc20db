# SPDX-License-Identifier: MIT
"""WebSockets with a client of another make, through a native application."""

import os

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from harness.client import Client
from harness.frames import ACCEPT, BINARY, CLOSE, PING, PONG, TEXT, RawSocket, close_frame, frame, handshake
from harness.paths import HELLO, TALK
from harness.talk import LIMIT, ending, opened
from harness.waiting import wait_until


@pytest.mark.parametrize("compression", ["deflate", None])
@pytest.mark.parametrize("setting", [True, False])
def test_messages_come_back(start, compression, setting):
    server = start(TALK, config={"ws_per_message_deflate": setting})
    with opened(server, compression=compression) as ws:
        extensions = ws.response.headers.get("Sec-WebSocket-Extensions", "")
        assert ("permessage-deflate" in extensions) == bool(compression and setting)
        for message in ["", "hello", "größer ☃ 𝄞", b"", b"\x00\xff" * 200, "a" * 4096, os.urandom(70000)]:
            ws.send(message)
            assert ws.recv(LIMIT) == message
        for size in (125, 126, 127, 1023, 1024, 1025, 65535, 65536, 65537, 1 << 20):
            message = os.urandom(size)
            ws.send(message)
            assert ws.recv(LIMIT) == message, size
            text = "x☃" * (size // 4)
            ws.send(text)
            assert ws.recv(LIMIT) == text, size
        ws.send(["one ", "two ", "three"])
        assert ws.recv(LIMIT) == "one two three"
        ws.send([b"\x01", b"", b"\x02" * 70000])
        assert ws.recv(LIMIT) == b"\x01" + b"\x02" * 70000


def test_example(start):
    server = start(HELLO)
    with opened(server, "/talk") as ws:
        ws.send("hi")
        assert ws.recv(LIMIT) == "you said: hi"
    assert server.get("/talk").status == 426
    assert server.get("/").status == 200


def test_handshake_answer(start):
    server = start("--access-logfile", "-", "--access-logformat", "%(r)s %(s)s %(B)s %({x-chosen}o)s", TALK)
    with RawSocket(server.address, "/choose", "Sec-WebSocket-Protocol: soap, chat") as ws:
        answer = ws.answer
        assert (answer.version, answer.reason) == ("HTTP/1.1", "Switching Protocols")
        assert [v for k, v in answer.headers if k.lower() == "sec-websocket-accept"] == [ACCEPT]
        assert answer.header("Upgrade") == "websocket" and answer.header("Connection") == "Upgrade"
        assert answer.header("Sec-WebSocket-Protocol") == "chat"
        assert answer.header("X-Chosen") == "chat"
        assert answer.header("Server") == "unicoro" and answer.header("Date").endswith("GMT")
        assert answer.header("Content-Length") is None
        ws.send(frame(TEXT, b"hi"))
        assert ws.frame() == (TEXT, b"hi")
        assert server.output() == ""
        ws.send(close_frame(1000))
        assert ws.close_code() == 1000
    # The text frame of 4 bytes and the close frame of 4.
    wait_until(lambda: server.output() == "GET /choose HTTP/1.1 101 8 chat\n", "the access line")


def test_subprotocols(start):
    server = start(TALK)
    with opened(server, "/choose", subprotocols=["a", "b"]) as ws:
        assert ws.subprotocol == "b"
    with opened(server, "/choose?subprotocol=a", subprotocols=["a", "b"]) as ws:
        assert ws.subprotocol == "a"
    with opened(server, "/echo", subprotocols=["a"]) as ws:
        assert ws.subprotocol is None
    server.allow("subprotocol that the client did not offer")
    with pytest.raises(InvalidStatus) as refused, opened(server, "/choose?subprotocol=c", subprotocols=["a"]):
        pass
    assert refused.value.response.status_code == 500


def test_denied(start):
    server = start(TALK)
    with Client(server.address) as client:
        client.send(handshake("/deny"))
        answer = client.response()
        assert (answer.status, answer.body) == (403, b"not today\n")
        assert client.get("/").text == "plain\n"


WRONG = {
    "no key": (handshake("/echo", key=None), 400),
    "short key": (handshake("/echo", key="YWJj"), 400),
    "two keys": (handshake("/echo", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400),
    "no version": (handshake("/echo", version=None), 400),
    "old version": (handshake("/echo", version="8"), 426),
    "a body": (handshake("/echo", "Content-Length: 3") + b"abc", 400),
    "post": (handshake("/echo").replace(b"GET", b"POST"), 400),
    "no connection": (handshake("/echo").replace(b"Connection: Upgrade\r\n", b""), 426),
    "1.0": (handshake("/echo").replace(b"HTTP/1.1", b"HTTP/1.0"), 426),
    "other": (handshake("/echo").replace(b": websocket", b": h2c"), 426),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_handshakes(start, name):
    server = start(TALK)
    request, status = WRONG[name]
    with Client(server.address) as client:
        client.send(request)
        answer = client.response()
        assert answer.status == status
        assert (answer.header("Sec-WebSocket-Version") == "13") == (status == 426)
        assert client.closed_by_server()


def test_upgrade_is_ignored_where_nobody_asks_for_it(start):
    server = start(TALK)
    with Client(server.address) as client:
        client.send(handshake("/plain"))
        assert client.response().text == "plain\n"
        client.send(handshake("/plain", key=None))
        assert client.response().text == "plain\n"


def test_bytes_right_behind_the_handshake(start):
    server = start(TALK)
    early = frame(TEXT, b"one") + frame(BINARY, b"2" * 5000) + frame(PING, b"p") + frame(TEXT, b"three")
    with RawSocket(server.address, "/echo", early=early) as ws:
        assert sorted(ws.frame() for _ in range(4)) == sorted(
            [(TEXT, b"one"), (BINARY, b"2" * 5000), (TEXT, b"three"), (PONG, b"p")]
        )
        ws.send(close_frame(1000))
        assert ws.close_code() == 1000


def test_frames_byte_by_byte(start):
    server = start(TALK)
    with RawSocket(server.address, "/echo") as ws:
        for data in (frame(TEXT, b"he", fin=False) + frame(PING, b"x") + frame(0, b"llo")):
            ws.send(bytes([data]))
        assert ws.frame() == (PONG, b"x")
        assert ws.frame() == (TEXT, b"hello")


@pytest.mark.parametrize("code, reason", [(1000, ""), (1001, "going"), (1011, "ä"), (3000, "x" * 123), (4999, "")])
def test_client_closes(start, code, reason):
    server = start(TALK)
    with opened(server, "/echo?name=it") as ws:
        ws.close(code, reason)
    assert ending(server, "it") == f"{code} {reason}"


def test_client_closes_without_a_code(start):
    server = start(TALK)
    with RawSocket(server.address, "/echo?name=it") as ws:
        ws.send(frame(CLOSE))
        assert ws.close_code() in (1000, 1005)
    assert ending(server, "it") == "1005 "


@pytest.mark.parametrize("code, reason", [(1000, ""), (1003, "why"), (4000, "x" * 300)])
def test_server_closes(start, code, reason):
    server = start(TALK)
    with opened(server, f"/close?name=it&code={code}&reason={reason}") as ws:
        assert ws.recv(LIMIT) == "before"
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(LIMIT)
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, reason[:123])
    assert ending(server, "it") == f"{code} {reason[:123]}"


def test_a_code_that_may_not_be_sent(start):
    server = start(TALK)
    server.allow("close code 1006 may not be sent")
    with opened(server, "/close?code=1006") as ws:
        assert ws.recv(LIMIT) == "before"
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(LIMIT)
        assert closed.value.rcvd.code == 1011


@pytest.mark.parametrize("query, code", [("", 1000), ("?throw=1", 1011)])
def test_handler_returns_without_closing(start, query, code):
    server = start(TALK)
    server.allow("thrown by talk")
    with opened(server, "/leave" + query) as ws:
        assert ws.recv(LIMIT) == "bye"
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(LIMIT)
        assert closed.value.rcvd.code == code


def test_client_goes_away(start):
    server = start(TALK)
    with RawSocket(server.address, "/echo?name=end"):
        pass
    assert ending(server, "end") == "1006 "
    with RawSocket(server.address, "/echo?name=reset") as ws:
        ws.client.reset()
    assert ending(server, "reset") == "1006 "
    with RawSocket(server.address, "/echo?name=half") as ws:
        ws.send(frame(TEXT, b"abc", length=10))
        ws.client.end_sending()
        assert ws.close_code() is None
    assert ending(server, "half") == "1006 "
