# SPDX-License-Identifier: MIT
"""WSGI under -k eventlet."""

import sys

import pytest

from harness.frames import CLOSE, TEXT, RawSocket, close_frame, frame, handshake
from harness.paths import ROOT
from harness.waiting import wait_until

pytest.importorskip("eventlet", exc_type=ImportError)

APPS = ROOT / "tests" / "integration" / "python_apps"


@pytest.fixture
def serve(start):
    def factory(*args, **more):
        return start(
            "-k", "eventlet", "--python", sys.executable, "--pythonpath", APPS, *args,
            "eventlet_probe", env={"PYTHONDONTWRITEBYTECODE": "1"}, **more,
        )

    return factory


def test_requests_wait_together(serve):
    server = serve("--request-timeout", 1.5)
    server.allow("request_timeout")
    clients = [server.client() for _ in range(101)]
    for client, target in zip(clients, ["/stuck"] + ["/sleep"] * 100):
        client.request(target)
    answers = [client.response() for client in clients]
    assert answers[0].status == 504
    assert [answer.text for answer in answers[1:]] == ["slept"] * 100
    assert "in stuck\n    time.sleep(0.1)" in server.log()
    for client in clients:
        client.close()


def test_sockets_background_and_bodies(serve):
    server = serve()
    with server.client() as client:
        assert client.get("/sockets").text == "ONE TWO THREE"
        assert client.get("/spawn").text == "spawned"
        wait_until(lambda: client.get("/what_spawned").text == "lived on", "it has run")
        body = b"x" * 200_000
        assert client.get("/echo", method="POST", body=body).body == body


@pytest.mark.parametrize("target", ["/locals_clean", "/locals_clean?wait"])
def test_state_of_a_request_ends_with_it(serve, target):
    server = serve()
    with server.client() as client:
        client.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
        assert [client.response().text for _ in range(50)] == ["clean clean"] * 50
    clients = [server.client() for _ in range(40)]
    for client in clients:
        client.request(target)
    assert [client.response().text for client in clients] == ["clean clean"] * 40
    for client in clients:
        client.close()


def test_its_own_websockets(serve):
    server = serve()
    for early in (b"", frame(TEXT, b"early")):
        with RawSocket(server.address, "/talk", early=early) as ws:
            if early:
                assert ws.frame() == (TEXT, b"early")
            ws.send(frame(TEXT, b"hello"))
            assert ws.frame() == (TEXT, b"hello")
            ws.send(close_frame(1000))
            assert ws.frame()[0] == CLOSE
            assert ws.client.closed_by_server()
    # What is no handshake it answers itself.
    with server.client() as client:
        client.send(handshake("/talk", version="7"))
        assert client.response().status == 426
