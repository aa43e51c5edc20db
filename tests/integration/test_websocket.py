# SPDX-License-Identifier: MIT
"""WebSockets with a client of another make, through a native application."""

import contextlib
import os
import re
import signal
import socket
import threading

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from harness import processes
from harness.client import Client
from harness.frames import ACCEPT, BINARY, CLOSE, PING, PONG, TEXT, RawSocket, close_frame, frame, handshake
from harness.paths import HELLO, TALK
from harness.waiting import wait_until

LIMIT = 10


def url(server, target: str) -> str:
    host, port = server.address
    return f"ws://{host}:{port}{target}"


@contextlib.contextmanager
def opened(server, target: str = "/echo", **more):
    more.setdefault("max_size", None)
    with connect(url(server, target), open_timeout=LIMIT, close_timeout=LIMIT, **more) as socket_:
        yield socket_


def ending(server, name: str) -> str:
    return wait_until(lambda: server.get(f"/ending?name={name}").body.decode(), f"the ending of {name}")


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


BROKEN = {
    "unmasked": (frame(TEXT, b"hi", mask=None), 1002),
    "rsv1": (frame(TEXT, b"hi", rsv=4), 1002),
    "rsv2": (frame(TEXT, b"hi", rsv=2), 1002),
    "rsv3 of a ping": (frame(PING, b"hi", rsv=1), 1002),
    "opcode 3": (frame(3, b"hi"), 1002),
    "opcode 11": (frame(11, b"hi"), 1002),
    "long ping": (frame(PING, b"x" * 126), 1002),
    "long close": (frame(CLOSE, b"\x03\xe8" + b"x" * 124), 1002),
    "fragmented ping": (frame(PING, b"x", fin=False), 1002),
    "continuation of nothing": (frame(0, b"x"), 1002),
    "text in a text": (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002),
    "close of one byte": (frame(CLOSE, b"\x03"), 1002),
    "close code 1005": (close_frame(1005), 1002),
    "close code 999": (close_frame(999), 1002),
    "close reason": (close_frame(1000, b"\xff"), 1002),
    "length not canonical": (b"\x81\xfe\x00\x02\x00\x00\x00\x00hi", 1002),
    "length beyond 63 bits": (b"\x82\xff\xff" + b"\xff" * 7 + b"\x00" * 4, 1009),
    "invalid text": (frame(TEXT, b"\xc3\x28"), 1007),
    "surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "overlong": (frame(TEXT, b"\xc0\xaf"), 1007),
    "cut character": (frame(TEXT, b"ab\xe2\x98"), 1007),
    "cut character, empty end": (frame(TEXT, b"\xe2\x98", fin=False) + frame(0), 1007),
    "cut character, empty end, 4": (frame(TEXT, b"ok\xf0\x9d\x84", fin=False) + frame(0), 1007),
    "too long": (frame(BINARY, length=1001), 1009),
    "too long in pieces": (frame(BINARY, b"x" * 600, fin=False) + frame(0, b"x" * 401), 1009),
    "far too long": (frame(BINARY, length=1 << 62), 1009),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_frames(start, name):
    server = start(TALK, config={"ws_max_size": 1000})
    data, code = BROKEN[name]
    with RawSocket(server.address, "/echo?name=it") as ws:
        ws.send(frame(TEXT, b"whole"))
        assert ws.frame() == (TEXT, b"whole")
        ws.send(data)
        assert ws.close_code() == code
    assert ending(server, "it").split()[0] == str(code)


def test_characters_over_fragments(start):
    server = start(TALK)
    with RawSocket(server.address, "/echo") as ws:
        ws.send(frame(TEXT, b"\xe2", fin=False) + frame(0, b"\x98", fin=False) + frame(0, b"\x83"))
        assert ws.frame() == (TEXT, "☃".encode())
        ws.send(frame(TEXT, "☃".encode(), fin=False) + frame(0))
        assert ws.frame() == (TEXT, "☃".encode())
        ws.send(frame(TEXT, b"", fin=False) + frame(0))
        assert ws.frame() == (TEXT, b"")


DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


def test_compressed_attacks(start):
    server = start(TALK, config={"ws_max_size": 100000})
    import zlib

    def compressed(data: bytes) -> bytes:
        packer = zlib.compressobj(wbits=-15)
        return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]

    for payload, code in ((compressed(b"\0" * 100001), 1009), (b"\xff" * 50, 1007), (b"\x07\x00", 1007)):
        with RawSocket(server.address, "/echo?name=it", DEFLATE) as ws:
            ws.send(frame(BINARY, payload, rsv=4))
            assert ws.close_code() == code, payload[:4]
        assert ending(server, "it").split()[0] == str(code)
    with RawSocket(server.address, "/echo", DEFLATE) as ws:
        ws.send(frame(TEXT, compressed(b"\xc3\x28"), rsv=4))
        assert ws.close_code() == 1007
    # The sum of the messages may go beyond the limit.
    with opened(server) as ws:
        for _ in range(3):
            ws.send(b"\0" * 100000)
            assert ws.recv(LIMIT) == b"\0" * 100000
    for offer in ("permessage-deflate; server_max_window_bits=7", "permessage-deflate; x=1", "gibberish",
                  "permessage-deflate; client_max_window_bits=16"):
        with RawSocket(server.address, "/echo", "Sec-WebSocket-Extensions: " + offer) as ws:
            assert ws.answer.header("Sec-WebSocket-Extensions") is None, offer


def test_pings(start):
    server = start(TALK, config={"ws_ping_interval": 0.1, "ws_ping_timeout": 0.4})
    with RawSocket(server.address, "/echo?name=alive") as ws:
        # Answered, a WebSocket lives on; six pings are longer than the limit.
        for _ in range(6):
            opcode, payload = ws.frame()
            assert opcode == PING
            ws.send(frame(PONG, payload))
        ws.send(close_frame(1000))
        assert ws.close_code() == 1000
    assert ending(server, "alive") == "1000 "
    with RawSocket(server.address, "/echo?name=dead") as ws:
        assert ws.frame()[0] == PING
        assert ws.close_code() == 1011
    assert ending(server, "dead") == "1006 "
    server.wait_log("ws_ping_timeout: /echo")
    with opened(server, ping_interval=0.05) as ws:
        assert ws.ping().wait(LIMIT)


def test_no_pings(start):
    server = start(TALK, config={"ws_ping_interval": 0})
    with RawSocket(server.address, "/echo") as ws:
        assert ws.client.silent(0.3)


def test_one_who_does_not_receive_stops_the_client(start, gate):
    server = start(TALK, config={"ws_ping_interval": 0.05, "ws_ping_timeout": 0.05})
    with RawSocket(server.address, f"/deaf?name=it&gate={gate.path}") as ws:
        gate.wait_entered()
        message = frame(BINARY, b"m" * 50000)
        ws.client.sock.settimeout(0.5)
        sent = 0
        with pytest.raises(socket.timeout):
            for sent in range(1000):
                ws.send(message)
        assert 1 <= sent < 999
        gate.release()
        # What was cut by the time-out is unknown: the connection goes.
        ws.client.reset()
    assert ending(server, "it") == "1006 "


def test_a_client_that_takes_nothing(start):
    server = start(TALK, config={"send_timeout": 0.3, "ws_ping_interval": 0})
    with RawSocket(server.address, "/flood?count=1000"):
        server.wait_log("send_timeout: /flood")


def test_request_timeout_does_not_count(start):
    server = start(TALK, config={"request_timeout": 0.2, "keepalive": 0.1, "header_timeout": 0.2})
    with RawSocket(server.address, "/echo") as ws:
        assert ws.client.silent(0.6)
        ws.send(frame(TEXT, b"still"))
        assert ws.frame() == (TEXT, b"still")


def test_worker_ends(start):
    server = start("--graceful-timeout", "10", TALK)
    with opened(server, "/echo") as ws, RawSocket(server.address, "/echo") as raw:
        ws.send("hi")
        assert ws.recv(LIMIT) == "hi"
        server.send(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(LIMIT)
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1012, "service restart")
        assert raw.frame() == (CLOSE, b"\x03\xf4service restart")
        assert server.child.running
        raw.send(close_frame(1012))
        assert server.wait_exit() == 0


def test_worker_does_not_wait_for_ever(start):
    server = start("--graceful-timeout", "0.3", TALK)
    with RawSocket(server.address, "/echo"):
        server.send(signal.SIGTERM)
        assert server.wait_exit() == 0


def test_quick_shutdown(start):
    server = start(TALK)
    with RawSocket(server.address, "/echo"), RawSocket(server.address, "/flood?count=1000"):
        server.send(signal.SIGINT)
        assert server.wait_exit() == 0


def test_reload_closes_with_1012(start):
    server = start(TALK)
    with opened(server) as ws:
        server.send(signal.SIGHUP)
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(LIMIT)
        assert closed.value.rcvd.code == 1012
    wait_until(lambda: server.get("/").status == 200, "the new worker serves")
    server.wait_workers(1)


def test_many_at_once_leave_nothing(start):
    server = start("--worker-connections", "600", TALK)
    worker = server.workers()[0]
    before = processes.fd_count(worker)

    def once() -> int:
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(RawSocket(server.address, "/echo")) for _ in range(500)]
            for i, ws in enumerate(sockets):
                ws.send(frame(TEXT, b"%d" % i))
            for i, ws in enumerate(sockets):
                assert ws.frame() == (TEXT, b"%d" % i)
            assert server.get("/").text == "plain\n"
            assert processes.fd_count(worker) >= before + 500
            for ws in sockets[:250]:
                ws.send(close_frame(1000))
                assert ws.close_code() == 1000
        wait_until(lambda: processes.fd_count(worker) <= before, "the descriptors are closed")
        status = open(f"/proc/{worker}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])

    once()
    after_one = once()
    for _ in range(4):
        after_all = once()
    assert after_all - after_one < 2048, (after_one, after_all)


def test_both_directions_at_once(start):
    server = start(TALK)
    count = 300
    with opened(server, compression=None) as ws:
        sender = threading.Thread(target=lambda: [ws.send(b"%d" % i + b"z" * 20000) for i in range(count)])
        sender.start()
        for i in range(count):
            assert ws.recv(LIMIT) == b"%d" % i + b"z" * 20000
        sender.join()
