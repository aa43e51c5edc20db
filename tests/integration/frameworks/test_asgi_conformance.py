# SPDX-License-Identifier: MIT
"""An application that checks everything it gets has nothing to complain of (ASGI 3.0)."""

import os

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from conftest import base_url
from harness.waiting import wait_until


@pytest.fixture(scope="module", params=["sync", "async"])
def validated(request, serve):
    return serve(request.param, "asgi_validated:app")


@pytest.mark.parametrize("chunked", [False, True])
def test_bodies(validated, browser, chunked):
    client = browser(validated)
    for size in (0, 1, 5000, 500_000):
        data = os.urandom(size)
        body = (data[at : at + 7000] for at in range(0, size, 7000)) if chunked else data
        answer = client.post("/echo", content=body)
        assert (answer.status_code, answer.content) == (200, data)


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/pieces", 200, b"0;1;2;3;4;"),
        ("/empty", 204, b""),
        ("/default-headers", 200, b"none given"),
        ("/trailing-receive", 200, b"done"),
        ("/wrong-order", 500, b"RuntimeError"),
        ("/missing", 404, b"nothing here"),
    ],
)
def test_responses(validated, browser, path, status, body):
    client = browser(validated)
    for _ in range(2):
        answer = client.get(path)
        assert (answer.status_code, answer.content) == (status, body)
    assert client.head(path).content == b""


def test_scope(validated, browser):
    headers = [("X-Two", "1"), ("X-Two", "2"), ("X-Bytes", "gr\xfc\xdf".encode("latin-1"))]
    answer = browser(validated).get("/scope?a=b%20c&d", headers=headers)
    seen = answer.json()
    assert (seen["query_string"], seen["http_version"], seen["scheme"]) == ("a=b%20c&d", "1.1", "http")
    assert [value for name, value in seen["headers"] if name == "x-two"] == ["1", "2"]
    assert ["x-bytes", "gr\xfc\xdf"] in seen["headers"]
    assert seen["server"] == list(validated.address)
    assert seen["leaked"] is False
    with validated.client() as client:
        client.send("GET /r%C3%B6%2Fx HTTP/1.0\r\n\r\n")
        assert client.response().status == 404


def test_a_message_that_arrived_was_sent(validated):
    """The client closes as soon as it has it: send() returns, and the application is told of the close."""
    url = base_url(validated).replace("http", "ws")
    before = validated.output().count("closed with 3457")
    for _ in range(40):
        with connect(url + "/x?y", subprotocols=["a", "b"], proxy=None) as socket:
            for message in ("text", "x" * 100_000, b"y" * 100_000):
                socket.send(message)
                assert socket.recv() == message
            socket.close(3457)
    wait_until(lambda: validated.output().count("closed with 3457") == before + 40, "each close was told")


def test_websocket(validated):
    url = base_url(validated).replace("http", "ws")
    with connect(url + "/x?y", subprotocols=["a", "b"], proxy=None) as socket:
        assert socket.response.headers["X-Hello"] == "yes"
        for message in ("", "text", b"", b"bytes", "x" * 100_000, b"y" * 100_000):
            socket.send(message)
            assert socket.recv() == message
        socket.close(3456, "why not")
    wait_until(lambda: "closed with 3456" in validated.output(), "the application saw the code")
    with pytest.raises(InvalidStatus) as failure:
        connect(url + "/denied", proxy=None)
    response = failure.value.response
    assert (response.status_code, response.body, response.headers["X-Why"]) == (401, b"not you", "no")
