# SPDX-License-Identifier: MIT
"""ASGI 3 applications on asyncio, on the worker's loop."""

import json
import sys

import pytest

from harness.client import Closed
from harness.frames import CLOSE, CONTINUATION, TEXT, RawSocket, close_frame, frame
from harness.paths import ROOT
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"


@pytest.fixture
def serve(start, tmp_path):
    def factory(*args, app="asgi_probe:app", env=None, **more):
        return start(
            "--python", sys.executable, "--pythonpath", APPS, *args, app,
            env={
                "PYTHONDONTWRITEBYTECODE": "1", "PROBE_STOPPED": str(tmp_path / "stopped"),
                **(env or {}),
            },
            **more,
        )

    return factory


def together(server, targets):
    clients = [server.client() for _ in targets]
    for client, target in zip(clients, targets):
        client.request(target)
    answers = [client.response() for client in clients]
    for client in clients:
        client.close()
    return answers


@pytest.mark.parametrize("worker_class", ["async", "sync", "asgi", "uvicorn.workers.UvicornWorker"])
def test_every_class_runs_it_in_the_same_way(serve, worker_class):
    server = serve("-k", worker_class)
    answers = together(server, ["/sleep"] * 200)
    assert [answer.text for answer in answers] == ["slept"] * 200


def test_threads_are_refused(serve):
    server = serve("--threads", 4, ready=False)
    server.allow(".")
    assert server.wait_exit() == 4
    assert "an ASGI application runs neither on threads nor beside eventlet" in server.log()


def test_scope(serve):
    server = serve()
    with server.client() as client:
        client.request(
            "/scope_of/a%20b%2Fc?q=1%202",
            headers=[("X-Test", "One"), ("X-Test", "two"), ("Cookie", "a=b")],
        )
        answer = client.response()
    scope = json.loads(answer.body)
    assert scope["type"] == "http"
    assert scope["asgi"]["version"] == "3.0"
    assert float(scope["asgi"]["spec_version"]) >= 2.3
    assert (scope["http_version"], scope["method"], scope["scheme"]) == ("1.1", "GET", "http")
    assert scope["path"] == "/scope_of/a b/c"
    assert scope["raw_path"] == repr(b"/scope_of/a%20b%2Fc")
    assert scope["query_string"] == repr(b"q=1%202")
    assert scope["root_path"] == ""
    assert scope["headers"] == [
        ["host", "test.example"], ["x-test", "One"], ["x-test", "two"], ["cookie", "a=b"],
    ]
    assert scope["client"][0] == "127.0.0.1" and isinstance(scope["client"][1], int)
    assert scope["server"] == ["127.0.0.1", server.address[1]]
    assert scope["types"]["raw_path"] == scope["types"]["query_string"] == "bytes"
    assert scope["state"] == {"from": "the lifespan"}


def test_bytes_that_are_not_ascii_in_the_target(serve):
    server = serve()
    with server.client() as client:
        client.send(b"GET /scope_of/caf\xc3\xa9/\xff?q=\xe9 HTTP/1.1\r\nHost: a\r\n\r\n")
        scope = json.loads(client.response().body)
    assert scope["path"] == "/scope_of/café/\ufffd"
    assert scope["raw_path"] == repr(b"/scope_of/caf\xc3\xa9/\xff")
    assert scope["query_string"] == repr(b"q=\xe9")


def test_bodies_in_both_directions(serve):
    server = serve()
    with server.client() as client:
        body = bytes(range(256)) * 4000
        assert client.get("/echo", method="POST", body=body).body == body
    with server.client() as client:
        assert client.get("/echo", method="POST", body=b"small").body == b"small"
        assert client.get("/stream").body == b"".join(b"%06d" % n * 10000 for n in range(200))
    with server.client() as client:
        assert client.get("/hello", method="HEAD").body == b""
        client.send("POST /duplex HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert client.head().status == 200
        assert client._exactly(10, client_deadline()) == b"5\r\nfirst\r\n"
        client.send("6\r\nsecond\r\n0\r\n\r\n")
        assert client._exactly(16, client_deadline()) == b"6\r\nsecond\r\n0\r\n\r\n"


def client_deadline():
    import time

    return time.monotonic() + 10


@pytest.mark.parametrize("target", ["/until_gone", "/quiet_until_gone"])
def test_client_that_goes_away_is_told(serve, target):
    server = serve()
    client = server.client()
    client.request(target)
    if target == "/until_gone":
        client.head()
    else:
        with server.client() as other:
            assert other.get("/hello").status == 200
    client.reset()
    with server.client() as other:
        wait_until(lambda: other.get("/what_was_seen").text == "http.disconnect", "it was told")


def test_work_behind_the_response(serve):
    server = serve()
    with server.client() as client:
        assert client.get("/background").text == "answered"
        wait_until(lambda: client.get("/what_was_seen").text == "went on", "the task went on")


def test_context_of_a_request_ends_with_it(serve):
    server = serve()
    with server.client() as client:
        assert [client.get("/context").text for _ in range(3)] == ["clean"] * 3


def test_asyncio_of_the_standard_library(serve):
    server = serve()
    with server.client() as client:
        assert client.get("/standard").text == "from a child, OVER TCP, in a thread, True"


def test_failures_of_the_application(serve):
    server = serve()
    server.allow(".")
    with server.client() as client:
        assert client.get("/broken").status == 500
        assert client.get("/body_first").status == 500
        assert client.get("/silent").status == 500
        assert client.get("/hello").status == 200
        client.request("/broken_late")
        assert client.head().status == 200
        with pytest.raises((Closed, ConnectionResetError)):
            while True:
                client._exactly(20, client_deadline())
    log = server.log()
    assert log.count("ValueError: on purpose") == 2
    assert "in broken\n" in log


def test_request_timeout(serve):
    server = serve("--request-timeout", 0.5)
    server.allow("request_timeout")
    answers = together(server, ["/stuck"] + ["/sleep"] * 50)
    assert [answer.status for answer in answers] == [504] + [200] * 50
    log = server.log()
    assert "request_timeout: GET /stuck cancelled after 0.5 s; it was here:" in log
    assert "in stuck\n" in log
    with server.client() as client:
        wait_until(lambda: client.get("/what_was_seen").text == "cancelled", "its task was cancelled")


@pytest.mark.parametrize("mode, told", [("failed", "no database"), ("raises", "RuntimeError: cannot start")])
def test_start_that_fails_is_a_boot_failure(serve, mode, told):
    server = serve(env={"PROBE_LIFESPAN": mode}, ready=False)
    server.allow(".")
    assert server.wait_exit() in (3, 4)
    assert told in server.log()


def test_lifespan(serve, tmp_path):
    server = serve()
    with server.client() as client:
        assert client.get("/state").text == "the lifespan"
    assert server.stop() == 0
    assert (tmp_path / "stopped").read_text() == "stopped\n"


def test_lifespan_that_is_not_there(serve):
    server = serve(env={"PROBE_LIFESPAN": "unknown"})
    with server.client() as client:
        assert client.get("/hello").text == "hello"


def test_lifespan_that_must_be_there(serve):
    server = serve("--asgi-lifespan", "on", env={"PROBE_LIFESPAN": "unknown"}, ready=False)
    server.allow(".")
    assert server.wait_exit() in (3, 4)


def test_end_of_a_worker_with_a_request_in_it(serve):
    server = serve("--graceful-timeout", 5)
    client = server.client()
    client.request("/sleep")
    with server.client() as other:
        assert other.get("/hello").status == 200
    assert server.stop() == 0
    assert client.response().text == "slept"


def test_websocket(serve):
    connect = pytest.importorskip("websockets.sync.client").connect
    errors = pytest.importorskip("websockets.exceptions")
    server = serve()
    base = f"ws://127.0.0.1:{server.address[1]}"
    with connect(f"{base}/ws", subprotocols=["one", "two"]) as socket:
        assert socket.subprotocol == "one"
        socket.send("hello")
        assert socket.recv(10) == "HELLO"
        socket.send(b"\x01\x02")
        assert socket.recv(10) == b"\x02\x01"
        socket.send("x" * 300_000)
        assert socket.recv(10) == "X" * 300_000
        socket.send("close")
        with pytest.raises(errors.ConnectionClosed):
            socket.recv(10)
        assert (socket.close_code, socket.close_reason) == (3001, "as told")
    with connect(f"{base}/ws") as socket:
        socket.close(4000)
    with pytest.raises(errors.InvalidStatus) as denied:
        connect(f"{base}/denied").__enter__()
    assert denied.value.response.status_code == 403
    with server.client() as client:
        wait_until(lambda: "4000" in client.get("/what_was_seen").text, "the code was told")


def test_websocket_send_says_what_reached_the_client(serve):
    server = serve()

    def outcomes(messages: list[bytes], early: bytes = b"") -> tuple[list[str], int]:
        with server.client() as client:
            before = len(client.get("/what_was_seen").text.split())
            with RawSocket(server.address, "/outcomes", early=early) as ws:
                for each in messages:
                    ws.send(each)
                answers = 0
                while ws.frame()[0] != CLOSE:
                    answers += 1
            seen = wait_until(
                lambda: client.get("/what_was_seen").text.split()[before:], "the outcomes are told"
            )
        return seen[0].split(","), answers

    texts = [frame(TEXT, b"1", fin=False), frame(CONTINUATION, b"0"), frame(TEXT, b"20")]
    for messages, early in [
        ([b"".join([*texts, close_frame(1000)])], b""),
        ([*texts, close_frame(1000)], b""),
        ([], b"".join([*texts, close_frame(1000)])),
        ([frame(TEXT, b"5"), close_frame(1000)], b""),
    ]:
        for _ in range(20):
            told, answers = outcomes(messages, early)
            assert len(told) == (1 if len(messages) == 2 else 2)
            assert told.count("sent") == answers, told


@pytest.mark.parametrize("how", ["close", "reset"])
def test_websocket_send_that_waits_for_a_client_who_goes(serve, how):
    server = serve()
    with RawSocket(server.address, "/outcomes") as ws:
        # More than the kernel takes.
        ws.send(frame(TEXT, b"30000000"))
        ws.frame_head()
        ws.client.reset() if how == "reset" else ws.send(close_frame(1000))
    with server.client() as client:
        seen = wait_until(lambda: client.get("/what_was_seen").text, "the outcome is told")
    assert seen == "ConnectionResetError"


def test_mounted_beside_wsgi(start, tmp_path):
    server = start(
        "--python", sys.executable, "--pythonpath", APPS,
        config={"apps": {"/": "mount_probe:root", "/api": "asgi_probe:app"}},
        env={"PYTHONDONTWRITEBYTECODE": "1", "PROBE_STOPPED": str(tmp_path / "stopped")},
    )
    with server.client() as client:
        assert json.loads(client.get("/x").body)["app"] == "root"
        scope = json.loads(client.get("/api/scope_of?q").body)
        assert (scope["path"], scope["root_path"]) == ("/api/scope_of", "/api")
        assert json.loads(client.get("/y").body)["PATH_INFO"] == "/y"
