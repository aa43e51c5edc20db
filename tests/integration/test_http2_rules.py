# SPDX-License-Identifier: MIT
"""What requests by HTTP/2 are refused, and what ends a connection that asks too much."""

import json
import re
import signal
import sys

import pytest
from hyperframe.frame import (ContinuationFrame, DataFrame, PingFrame, PriorityFrame, RstStreamFrame, SettingsFrame,
                              WindowUpdateFrame)

from harness.http2 import (CALM, CANCEL, PROTOCOL_ERROR, REFUSED, RawHttp2, connect, open_client)
from harness.paths import PROBE, ROOT
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
INSPECT = f"{PROBE.parent / 'libinspect.so'}:app"


@pytest.fixture
def serve(start):
    def factory(*args, app="http2_probe", env=None):
        return start("--http-protocols", "h2,h1", "--http2-cleartext", "prior-knowledge", "--python", sys.executable,
                     "--pythonpath", APPS, *args, app, env={"PYTHONDONTWRITEBYTECODE": "1", **(env or {})})

    return factory


def refusals():
    long_name = "x-" + "a" * 9000
    return {
        "no authority at all": ([(":method", "GET"), (":scheme", "http"), (":path", "/")], PROTOCOL_ERROR),
        "a host that disagrees": ([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a"),
                                   ("host", "b")], 400),
        "a host alone": ([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "b")], 200),
        "a bad authority": ([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a@b")], 400),
        "Connection": (request("connection", "close"), PROTOCOL_ERROR),
        "Transfer-Encoding": (request("transfer-encoding", "chunked"), PROTOCOL_ERROR),
        "te": (request("te", "gzip"), PROTOCOL_ERROR),
        "te: trailers": (request("te", "trailers"), 200),
        "upper case": (request("X-Upper", "a"), PROTOCOL_ERROR),
        "a line end in a value": (request("x-a", "a\r\nb: c"), PROTOCOL_ERROR),
        "Content-Length twice": ([*request("content-length", "1"), ("content-length", "2")], PROTOCOL_ERROR),
        "a field too long": (request(long_name[:200], "v" * 9000), 431),
        "too many fields": ([*request("a", "b"), *[(f"x-{n}", "a") for n in range(150)]], 431),
        "a path too long": ([(":method", "GET"), (":scheme", "http"), (":path", "/" + "a" * 5000),
                             (":authority", "a")], 414),
        "a method in lower case": ([(":method", "get"), (":scheme", "http"), (":path", "/"), (":authority", "a")],
                                   400),
        "another scheme": ([(":method", "GET"), (":scheme", "ftp"), (":path", "/"), (":authority", "a")], 400),
        "CONNECT": ([(":method", "CONNECT"), (":authority", "a:443")], 501),
        "an expectation": (request("expect", "wonders"), 417),
    }


def request(name, value):
    return [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "localhost"), (name, value)]


@pytest.mark.parametrize("name", refusals())
def test_rules(serve, name):
    fields, expected = refusals()[name]
    with open_client(serve(), checks=False) as client:
        answer = client.answer(client.begin_with(fields))
        assert (answer.status if expected >= 100 else answer.reset) == expected
        assert client.get("/").body == b"hello"


def test_lengths_of_bodies(serve):
    server = serve("--limit-request-body", "1000", "-k", "async")
    with open_client(server, checks=False) as client:
        assert client.get("/echo", "POST", [("content-length", "5")], b"four").reset == PROTOCOL_ERROR
        assert client.get("/echo", "POST", [("content-length", "3")], b"four").reset == PROTOCOL_ERROR
        assert client.get("/echo", "POST", [("content-length", "1001")], b"a" * 1001).status == 413
        assert client.get("/echo", "POST", body=b"a" * 1000).status == 200


def test_trailers(serve):
    with open_client(serve()) as client:
        number = client.begin("/echo", "POST", end=False)
        client.connection.send_data(number, b"body")
        client.connection.send_headers(number, [("x-check", "sum")], end_stream=True)
        client.flush()
        assert client.answer(number).body == b"body"


@pytest.mark.parametrize("values, said", [
    ({"http_protocols": "h3"}, "for HTTP/3 put a proxy in front"),
    ({"http_protocols": "h1,h1"}, "names h1 twice"),
    ({"http_protocols": []}, "names no version of HTTP"),
    ({"http_protocols": "spdy"}, "h1 or h2"),
    ({"http2_cleartext": "prior-knowledge"}, "add h2 to"),
    ({"http2_cleartext": "upgrade"}, "prior-knowledge"),
    ({"http2_max_concurrent_streams": 0}, "from 1 to 65535"),
    ({"http2_initial_window_size": 2**31}, "from 1 to 2147483647"),
    ({"http2_max_frame_size": 16383}, "from 16384 to 16777215"),
    ({"http2_max_header_list_size": 0}, "from 1 to 16777216"),
])
def test_settings_that_are_refused(command, tmp_path, values, said):
    (tmp_path / "unicoro.json").write_text(json.dumps({"app": INSPECT, **values}))
    done = command("--check-config", "-c", tmp_path / "unicoro.json")
    assert done.returncode == 2 and said in done.stderr and next(iter(values)) in done.stderr


# --- what is too much


def flood(server, *frames, first=()):
    with RawHttp2(connect(server.address)) as client:
        try:
            client.send(*first)
            for _ in range(100):
                client.send(*frames * 100)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            code = client.goaway()
        except AssertionError:
            code = None
    return code


def ack():
    frame = PingFrame(0)
    frame.opaque_data = b"12345678"
    return frame


def window_update(number=0):
    frame = WindowUpdateFrame(number)
    frame.window_increment = 1
    return frame


@pytest.mark.parametrize("what, rule", [
    ("ping", "PING"), ("settings", "SETTINGS"), ("window", "tiny windows"), ("priority", "PRIORITY"),
])
def test_floods(serve, what, rule):
    server = serve()
    frames = {"ping": ack(), "settings": SettingsFrame(0), "window": window_update(),
              "priority": PriorityFrame(3, depends_on=1, stream_weight=1)}
    assert flood(server, frames[what]) in (CALM, None)
    wait_until(lambda: rule in server.log(), "the rule in the log")
    assert len(re.findall("HTTP/2: ip=127.0.0.1: the connection ends", server.log())) == 1
    with open_client(server) as client:
        assert client.get("/").body == b"hello"


def test_empty_frames(serve):
    server = serve("-k", "async")
    with RawHttp2(connect(server.address)) as client:
        client.send(client.head(1, client.request("/echo", "POST"), end=False))
        client.send(*[DataFrame(1)] * 500)
        assert client.goaway() == CALM
    wait_until(lambda: "without data" in server.log(), "the rule in the log")


def test_rapid_reset(serve):
    server = serve("-k", "async", app="http2_probe:asgi")
    with RawHttp2(connect(server.address)) as client:
        frames = []
        for number in range(1, 4001, 2):
            frames += [client.head(number, client.request("/stuck")), RstStreamFrame(number, error_code=CANCEL)]
        try:
            client.send(*frames)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            assert client.goaway() == CALM
        except AssertionError as closed:
            assert "closed" in str(closed)
    wait_until(lambda: "resets" in server.log(), "the rule in the log")


def test_requests_that_were_given_up_count(serve):
    server = serve("-k", "async", "--http2-max-concurrent-streams", "10", app="http2_probe:asgi")
    with open_client(server) as client:
        for _ in range(10):
            number = client.begin("/stuck")
            assert client.get("/").body == b"hello" if number < 19 else True
            client.connection.reset_stream(number, error_code=CANCEL)
        client.flush()
        refused = client.begin("/stuck")
        assert client.answer(refused).reset == REFUSED
    server.send(signal.SIGQUIT)
    server.wait_exit()


def test_continuations(serve):
    server = serve()
    with RawHttp2(connect(server.address)) as client:
        client.send(client.head(1, client.request(), whole=False))
        frame = ContinuationFrame(1)
        frame.data = client.encoder.encode([("x-a", "b")])
        try:
            client.send(*[frame] * 200)
            assert client.goaway() in (CALM, PROTOCOL_ERROR)
        except (BrokenPipeError, ConnectionResetError):
            pass
    wait_until(lambda: "the connection ends" in server.log(), "a line in the log")


def test_a_head_that_unpacks_to_much(serve):
    server = serve()
    with RawHttp2(connect(server.address)) as client:
        head = client.head(1, client.request(extra=[("x-bomb", "b" * 3900)]), whole=False)
        # One byte of each is 4 KB of fields.
        again = client.encoder.encode([("x-bomb", "b" * 3900)])
        assert len(again) == 1
        frame = ContinuationFrame(1)
        frame.data = again * 16000
        client.send(head, frame)
        assert client.goaway() == CALM
    wait_until(lambda: "http2_max_header_list_size" in server.log(), "the rule in the log")
