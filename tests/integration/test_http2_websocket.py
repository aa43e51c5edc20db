# SPDX-License-Identifier: MIT
"""WebSockets on streams of HTTP/2 (RFC 8441)."""

import json
import os
import signal
import sys
import zlib

import pytest
from hyperframe.frame import SettingsFrame

from harness.frames import BINARY, PING, PONG, TEXT, RawSocket, close_frame, frame
from harness.http2 import CANCEL, NO_ERROR, PROTOCOL_ERROR, REFUSED, Http2Client, Http2Socket, RawHttp2, connect, open_client, tls
from harness.paths import ROOT, TALK
from harness.waiting import LONG, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
ASGI = "websocket2_probe:asgi"
BOTH = pytest.mark.parametrize("app", [TALK, ASGI], ids=["native", "asgi"])
CONNECT_PROTOCOL = 8


@pytest.fixture
def serve(start):
    def factory(*args, app=TALK, **more):
        own = [] if app == TALK else ["-k", "async", "--python", sys.executable, "--pythonpath", APPS]
        return start("--http-protocols", "h2,h1", "--http2-cleartext", "prior-knowledge", *own, *args, *([app] if app else []),
                     env={"PYTHONDONTWRITEBYTECODE": "1"}, **more)

    return factory


def ending(client, name: str, app) -> str:
    """What the application has seen at the end of the WebSocket of that name."""
    if app == TALK:
        return wait_until(lambda: client.get(f"/ending?name={name}").text, "its end").split()[0]
    return str(wait_until(lambda: json.loads(client.get(f"/ending?name={name}").body), "its end")[0])


# --- the handshake


@BOTH
def test_messages(serve, app):
    with open_client(serve(app=app)) as client:
        first, second = Http2Socket(client), Http2Socket(client)
        for socket in (first, second):
            assert socket.got.status == 200
        for size in (0, 1, 125, 126, 65535, 65536, 70000, 1 << 20):
            data = os.urandom(size)
            first.send(frame(BINARY, data))
            second.send(frame(TEXT, b"x" * size))
            assert first.frame() == (BINARY, data), size
            assert second.frame() == (TEXT, b"x" * size), size
        # In pieces, each in a frame of its own.
        for byte in frame(TEXT, b"one ", fin=False) + frame(PING, b"between") + frame(0, b"two"):
            first.send(bytes([byte]))
        assert [first.frame(), first.frame()] == [(PONG, b"between"), (TEXT, b"one two")]
        # Beside them there are requests.
        assert client.get("/ending").status == 200
        first.send(close_frame(1000))
        assert first.close_code() == 1000
        first.until_over()
        assert first.got.ended
        second.send(frame(TEXT, b"goes on"))
        assert second.frame() == (TEXT, b"goes on")

@BOTH
def test_handshake_answer(serve, app):
    server = serve("--access-logfile", "-", "--access-logformat", "%(r)s %(s)s %({x-chosen}o)s", app=app)
    with open_client(server) as client:
        offers = ("sec-websocket-protocol", "chat"), ("sec-websocket-extensions", "permessage-deflate")
        socket = Http2Socket(client, "/choose?name=it", *offers)
        got = socket.got
        assert (got.status, got.header("sec-websocket-protocol")) == (200, "chat")
        assert got.header("sec-websocket-extensions").startswith("permessage-deflate")
        assert got.header("server") == "unicoro" and got.header("date").endswith("GMT")
        chosen = got.header("x-chosen")
        assert chosen in ("chat", "yes")
        for name in ("sec-websocket-accept", "upgrade", "connection", "content-length"):
            assert got.header(name) is None, name
        deflater = zlib.compressobj(wbits=-15)
        packed = deflater.compress(b"packed " * 100) + deflater.flush(zlib.Z_SYNC_FLUSH)
        socket.send(frame(TEXT, packed[:-4], rsv=4))
        first, _ = socket._exactly(2)
        assert first & 0x70 == 0x40, "the echo is compressed too"
        socket.client.connection.reset_stream(socket.number)
        client.flush()
        wait_until(lambda: server.output(), "the access line")
    assert server.output().splitlines()[0] == f"GET /choose?name=it HTTP/2.0 200 {chosen}"


def test_scope(serve):
    with open_client(serve(app=ASGI)) as client:
        socket = Http2Socket(client, "/scope?a=b", ("sec-websocket-protocol", "soap, chat"), ("origin", "https://a.example"))
        scope = json.loads(socket.frame()[1])
        assert (scope["type"], scope["http_version"], scope["scheme"], scope["path"]) == ("websocket", "2", "ws", "/scope")
        assert scope["subprotocols"] == ["soap", "chat"]
        assert (scope["headers"]["host"], scope["headers"]["origin"]) == ("localhost", "https://a.example")


def test_tls(start, pair, authority):
    server = start("--certfile", pair[0], "--keyfile", pair[1], "--http-protocols", "h2,h1", TALK)
    with Http2Client(tls(server.address, authority.context()), scheme="https") as client:
        socket = Http2Socket(client)
        data = os.urandom(300_000)
        socket.send(frame(BINARY, data))
        assert socket.frame() == (BINARY, data)


def settings_of(server) -> dict:
    with RawHttp2(connect(server.address)) as client:
        return next(each.settings for each in client.frames() if isinstance(each, SettingsFrame) and "ACK" not in each.flags)


def test_where_it_is_announced(serve):
    """Where an application takes connections themselves, clients have to keep to HTTP/1.1."""
    python = ("--python", sys.executable, "--pythonpath", APPS, "-k", "async")
    assert settings_of(serve())[CONNECT_PROTOCOL] == 1
    assert settings_of(serve(app=ASGI))[CONNECT_PROTOCOL] == 1
    mixed = {"apps": {"/": TALK, "/asgi": ASGI}}
    assert settings_of(serve(*python, app=None, config=mixed))[CONNECT_PROTOCOL] == 1
    for server in (serve(*python, app="http2_probe"),
                   serve(*python, app=None, config={"apps": {"/": "http2_probe", "/asgi": ASGI}}),
                   serve(*python, app=None, config={"apps": {"/": "http2_probe", "/talk": TALK}})):
        assert settings_of(server).get(CONNECT_PROTOCOL, 0) == 0
        with open_client(server, checks=False) as client:
            refused = Http2Socket(client)
            assert refused.got.reset == PROTOCOL_ERROR
            assert client.get("/").body in (b"hello", b"null")


def test_refused_handshakes(serve):
    with open_client(serve(), checks=False) as client:
        assert Http2Socket(client, version="12").got.status == 426
        assert Http2Socket(client, version=None).got.status == 400
        assert Http2Socket(client, "/echo", ("sec-websocket-protocol", "a b")).got.status == 400
        assert Http2Socket(client, "/echo", ("content-length", "5")).got.status == 400
        assert Http2Socket(client, "/deny").got.status == 403
        # To the client 200 would be an open WebSocket.
        plain = Http2Socket(client, "/")
        plain.until_over()
        assert (plain.got.status, plain.got.body) == (501, b"plain\n")
        base = {":method": "CONNECT", ":protocol": "websocket", ":scheme": "http", ":path": "/echo", ":authority": "localhost",
                "sec-websocket-version": "13"}
        assert client.answer(client.begin_with([*{**base, ":protocol": "connect-udp"}.items()])).status == 501
        for name in (":scheme", ":path", ":authority"):
            fields = [(key, value) for key, value in base.items() if key != name]
            assert client.answer(client.begin_with(fields)).reset == PROTOCOL_ERROR, name
        assert client.answer(client.begin_with([*{**base, ":method": "GET"}.items()])).reset == PROTOCOL_ERROR
        assert client.answer(client.begin("/", "CONNECT")).reset == PROTOCOL_ERROR
        assert client.get("/").body == b"plain\n"


def test_an_application_that_denies(serve):
    with open_client(serve(app=ASGI)) as client:
        assert Http2Socket(client, "/deny").got.status == 403
        page = Http2Socket(client, "/page")
        page.until_over()
        assert (page.got.status, page.got.header("x-own"), page.got.body) == (501, "yes", b"no WebSocket here")


# --- ends


@BOTH
def test_the_client_ends_it(serve, app):
    with open_client(serve(app=app)) as client:
        closed = Http2Socket(client, "/echo?name=closed")
        closed.send(close_frame(3000))
        assert closed.close_code() == 3000
        closed.until_over()
        assert closed.got.ended
        assert ending(client, "closed", app) == "3000"
        # As by FIN.
        ended = Http2Socket(client, "/echo?name=ended")
        ended.send(frame(TEXT, b"last")[:-1], end=True)
        ended.until_over()
        assert ended.got.ended and ended.got.body == b""
        assert ending(client, "ended", app) == "1006"
        # By a reset.
        reset = Http2Socket(client, "/echo?name=reset")
        client.connection.reset_stream(reset.number, CANCEL)
        client.flush()
        assert ending(client, "reset", app) == "1006"
        # Before it has begun.
        early = Http2Socket(client, "/echo?name=early", end=True)
        early.until_over()
        assert early.got.status == 200 and early.got.ended
        assert ending(client, "early", app) == "1006"
        # By what is no WebSocket.
        broken = Http2Socket(client, "/echo?name=broken")
        broken.send(frame(TEXT, b"a", mask=None))
        assert broken.close_code() == 1002
        assert ending(client, "broken", app) == "1002"


@BOTH
def test_the_connection_breaks(serve, app):
    server = serve(app=app)
    with open_client(server) as client:
        socket = Http2Socket(client, "/echo?name=lost")
        socket.send(frame(TEXT, b"hello"))
        assert socket.frame() == (TEXT, b"hello")
    with open_client(server) as client:
        assert ending(client, "lost", app) == "1006"


def test_the_application_ends_it(serve):
    server = serve()
    server.allow("thrown by talk")
    with open_client(server) as client:
        socket = Http2Socket(client, "/close?code=3001&name=it")
        assert socket.frame() == (TEXT, b"before")
        assert socket.close_code() == 3001
        assert not socket.over
        socket.send(close_frame(3001))
        socket.until_over()
        assert socket.got.ended
        for target, code in (("/leave", 1000), ("/leave?throw=1", 1011)):
            socket = Http2Socket(client, target)
            assert socket.frame() == (TEXT, b"bye")
            assert socket.close_code() == code
            socket.send(close_frame(code))
            socket.until_over()
            assert socket.got.ended
        assert client.get("/").status == 200


def test_an_asgi_application_fails(serve):
    server = serve(app=ASGI)
    server.allow("Traceback|on purpose|Error handling|Exception in")
    with open_client(server) as client:
        assert Http2Socket(client, "/fails").close_code() == 1011


def test_no_answer_to_the_close_frame(serve):
    with open_client(serve()) as client:
        socket = Http2Socket(client, "/leave")
        assert (socket.frame(), socket.close_code()) == ((TEXT, b"bye"), 1000)
        # For which it waits ten seconds.
        socket.until_over(10 + LONG)
        assert socket.got.reset == CANCEL
        assert client.get("/").status == 200


# --- limits


def test_a_client_that_does_not_read(serve):
    """Its window is its end: others are served meanwhile, and what is not taken for long is cut."""
    server = serve("--send-timeout", "1", "--http2-initial-window-size", "65535")
    server.allow("send_timeout")
    with open_client(server, reads=False) as client:
        socket = Http2Socket(client, "/flood?count=100")
        client.until(lambda: len(socket.got.body) == 65535, "its window is full")
        client.connection.increment_flow_control_window(1_000_000)
        client.flush()
        assert client.get("/").body == b"plain\n"
        socket.until_over()
        assert socket.got.reset == CANCEL and len(socket.got.body) == 65535
    assert "send_timeout: /flood" in server.log()


def test_a_client_that_reads_slowly_gets_all(serve):
    with open_client(serve(), reads=False) as client:
        client.connection.increment_flow_control_window(1_000_000)
        socket = Http2Socket(client, "/flood?count=4")
        whole = 4 * (65536 + 10)
        for room in range(65535, whole + 1000, 1000):
            client.until(lambda room=room: len(socket.got.body) >= min(room, whole), "its window is full")
            assert len(socket.got.body) <= room
            client.connection.increment_flow_control_window(1000, socket.number)
            client.flush()
        for _ in range(4):
            assert socket.frame() == (BINARY, b"f" * 65536)


def test_an_application_that_does_not_receive(serve, gate):
    with open_client(serve()) as client:
        socket = Http2Socket(client, f"/deaf?gate={gate.path}&name=deaf")
        gate.wait_entered()
        sent = 0
        message = frame(BINARY, b"d" * 1000)
        while client.connection.local_flow_control_window(socket.number) >= len(message):
            socket.send(message)
            sent += 1
            # What was taken is given back, but for some.
            client.get("/")
        assert 60 < sent < 400
        assert client.get("/").body == b"plain\n"
        gate.release()
        client.until(lambda: client.connection.local_flow_control_window(socket.number) > 30000, "there is room again")
        socket.send(close_frame(1000))
        assert socket.close_code() == 1000
        assert ending(client, "deaf", TALK) == "1000"


def test_it_is_one_of_the_streams(serve, gate):
    """Until its application has ended, whatever its client does."""
    with open_client(serve("--http2-max-concurrent-streams", "2")) as client:
        Http2Socket(client)
        held = Http2Socket(client, f"/deaf?gate={gate.path}")
        gate.wait_entered()
        client.connection.reset_stream(held.number, CANCEL)
        client.flush()
        assert client.answer(client.begin("/")).reset == REFUSED
        gate.release()
        wait_until(lambda: client.get("/").body == b"plain\n", "there is room again")


def test_time_limits_of_requests_and_idle_connections_are_not_for_it(serve):
    server = serve("--request-timeout", "0.2", "--keep-alive", "0.2", "--body-timeout", "0.2", "--ws-ping-interval", "0.3")
    with open_client(server) as client:
        socket = Http2Socket(client)
        for _ in range(3):
            opcode, payload = socket.frame()
            assert opcode == PING
            socket.send(frame(PONG, payload))
        socket.send(frame(TEXT, b"still here"))
        assert socket.frame() == (TEXT, b"still here")
        socket.send(close_frame(1000))
        assert socket.close_code() == 1000


def test_pings_that_nothing_answers(serve):
    server = serve("--ws-ping-interval", "0.2", "--ws-ping-timeout", "0.2")
    with open_client(server) as client:
        socket = Http2Socket(client, "/echo?name=silent")
        assert socket.frame()[0] == PING
        assert socket.close_code() == 1011
        socket.until_over()
        assert socket.got.reset == CANCEL
        assert ending(client, "silent", TALK) == "1006"


def test_both_protocols_beside_each_other(serve):
    server = serve()
    with open_client(server) as client, RawSocket(server.address, "/echo") as other:
        socket = Http2Socket(client)
        other.send(frame(TEXT, b"one"))
        socket.send(frame(TEXT, b"two"))
        assert (other.frame(), socket.frame()) == ((TEXT, b"one"), (TEXT, b"two"))


# --- the worker's end


@BOTH
@pytest.mark.parametrize("spread", [[], ["--drain-spread", "0.5"]], ids=["at-once", "spread"])
def test_a_drain_closes_with_1012(serve, app, spread):
    server = serve(*spread, app=app)
    with open_client(server) as client:
        sockets = [Http2Socket(client) for _ in range(3)]
        server.send(signal.SIGTERM)
        for socket in sockets:
            assert socket.close_code() == 1012
            socket.send(close_frame(1012))
            socket.until_over()
            assert socket.got.ended
        client.until_closed()
        assert client.goaways and {code for code, _ in client.goaways} == {NO_ERROR}
    assert server.wait_exit() == 0


@BOTH
def test_the_worker_ends_without_the_client(serve, app):
    """One that does not answer is let go when the time is over."""
    server = serve("--graceful-timeout", "1", app=app)
    server.allow("graceful_timeout|cancel")
    with open_client(server) as client:
        socket = Http2Socket(client)
        server.send(signal.SIGTERM)
        assert socket.close_code() == 1012
        assert server.wait_exit() == 0
        client.until_closed()
