# SPDX-License-Identifier: MIT
"""HTTP/2: flow control, time limits, and how connections end."""

import signal
import sys

import pytest

from harness.http2 import CALM, CANCEL, NO_ERROR, RawHttp2, connect, open_client
from harness.paths import ROOT

APPS = ROOT / "tests" / "integration" / "python_apps"
WORKERS = pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "gthread", "--threads", "2"], ["-k", "async"]],
                                  ids=lambda args: args[1])


@pytest.fixture
def serve(start):
    def factory(*args, app="http2_probe", env=None):
        return start("--http-protocols", "h2,h1", "--http2-cleartext", "prior-knowledge", "--python", sys.executable,
                     "--pythonpath", APPS, *args, app, env={"PYTHONDONTWRITEBYTECODE": "1", **(env or {})})

    return factory


# --- flow control


@WORKERS
def test_a_client_that_does_not_read(serve, worker):
    server = serve(*worker, "--send-timeout", "0.5")
    server.allow("send_timeout")
    with open_client(server, reads=False) as client:
        number = client.begin("/endless")
        answer = client.answer(number)
        assert answer.reset == CANCEL and len(answer.body) == 65535
        client.connection.increment_flow_control_window(1_000_000)
        client.flush()
        assert client.get("/").body == b"hello"
    assert "send_timeout: GET /endless" in server.log()


def test_a_body_that_is_not_read_holds_its_client(serve, tmp_path):
    mark = tmp_path / "mark"
    server = serve("-k", "async", app="http2_probe:asgi", env={"PROBE_MARK": str(mark)})
    with open_client(server) as client:
        number = client.begin("/held", "POST", end=False)
        client.send_body(number, b"a" * 65535, end=False)
        # Others are not held up by it.
        assert client.get("/").body == b"hello"
        assert client.connection.local_flow_control_window(number) == 0
        mark.touch()
        assert client.answer(number).body == b"let go"


def test_time_limits(serve):
    server = serve("-k", "async", "--request-timeout", "0.3", "--body-timeout", "0.3", app="http2_probe:asgi")
    server.allow("request_timeout|took longer|body")
    with open_client(server) as client:
        assert client.get("/stuck").status == 504
        number = client.begin("/duplex", "POST", end=False)
        assert client.answer(number).reset is not None or client.answers[number].ended
        assert client.get("/").body == b"hello"


def test_a_head_that_does_not_come(serve):
    server = serve("--header-timeout", "0.3")
    with RawHttp2(connect(server.address)) as client:
        client.send(client.head(1, client.request()), client.head(3, client.request(), whole=False))
        assert client.goaway() == CALM
    with RawHttp2(connect(server.address)) as client:
        assert client.goaway() == NO_ERROR


# --- ends


def test_keepalive(serve):
    server = serve("--keep-alive", "0.3")
    with open_client(server) as client:
        assert client.get("/").body == b"hello"
        client.until_closed()
        # Announced, then said (RFC 9113, 6.8).
        assert client.goaways == [(NO_ERROR, 2**31 - 1), (NO_ERROR, 1)]


@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGHUP])
def test_drain(serve, tmp_path, order):
    mark = tmp_path / "mark"
    server = serve("-k", "async", app="http2_probe:asgi", env={"PROBE_MARK": str(mark)})
    with open_client(server) as client, open_client(server) as idle:
        assert idle.get("/").body == b"hello"
        number = client.begin("/held")
        assert client.get("/").body == b"hello"
        server.send(order)
        client.until(lambda: client.goaways, "GOAWAY")
        assert client.goaways[0] == (NO_ERROR, 2**31 - 1)
        idle.until_closed()
        assert idle.goaways[-1] == (NO_ERROR, 1)
        mark.touch()
        assert client.answer(number).body == b"let go"
        client.until_closed()


def test_a_stream_of_events_ends_with_one(serve):
    server = serve("-k", "async", "--graceful-timeout", "5", app="http2_probe:asgi")
    with open_client(server) as client:
        number = client.begin("/events")
        client.until(lambda: client.answers[number].body, "an event")
        server.send(signal.SIGTERM)
        answer = client.answer(number)
        assert answer.ended and answer.reset is None and answer.body.endswith(b"tick\n\n")
        client.until_closed()
    assert server.wait_exit() == 0


def test_a_worker_that_must_end_waits_for_nobody(serve):
    server = serve("-k", "async", "--graceful-timeout", "0.3", app="http2_probe:asgi")
    with open_client(server, reads=False) as client, open_client(server) as idle:
        idle.get("/")
        client.begin("/stuck")
        client.get("/")
        server.send(signal.SIGTERM)
        assert server.wait_exit() == 0
    assert "SIGKILL" not in server.log()


def test_recycling(serve):
    server = serve("--max-requests", "5")
    answered = 0
    while answered < 20:
        with open_client(server) as client:
            while not client.goaways and not client.closed and answered < 20:
                number = client.begin("/")
                answer = client.answers[number]
                client.until(lambda: answer.ended, "an answer")
                answered += answer.body == b"hello"
    assert answered == 20
