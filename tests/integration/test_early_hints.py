# SPDX-License-Identifier: MIT
"""103 Early Hints (RFC 8297), from every kind of application."""

import sys

import pytest

from harness import fronts
from harness.client import Client
from harness.paths import PROBE, ROOT
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
INSPECT = f"{PROBE.parent / 'libinspect.so'}:app"
WORKERS = pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "gthread", "--threads", "2"], ["-k", "async"]],
                                  ids=lambda args: args[1])
STYLE = ("Link", "</style.css>; rel=preload; as=style")


@pytest.fixture
def serve(start):
    def factory(*args, app="hints_probe"):
        return start("--python", sys.executable, "--pythonpath", APPS, *args, app,
                     env={"PYTHONDONTWRITEBYTECODE": "1"})

    return factory


def heads(client):
    """The interim heads that come, and the response."""
    interim = []
    while True:
        answer = client.head()
        if answer.status >= 200:
            break
        interim.append(answer)
    answer.body = client._exactly(int(answer.header("Content-Length")), 1e12)
    return interim, answer


def ask(client, target, fields="", version="1.1"):
    client.send(f"GET {target} HTTP/{version}\r\nHost: a\r\n{fields}\r\n")


@WORKERS
def test_wsgi(serve, worker):
    with serve(*worker).client() as client:
        for _ in range(3):
            ask(client, "/hints")
            interim, answer = heads(client)
            assert [each.status for each in interim] == [103, 103]
            assert interim[0].headers == [STYLE, ("X-Number", "1")]
            assert interim[1].headers == [("link", "</code.js>; rel=preload; as=script")]
            assert (answer.status, answer.body) == (200, b"done")
            assert answer.header("Link") is None
        client.request("/hints", method="HEAD")
        assert client.response(head_only=True).interim == [103, 103]


@WORKERS
def test_not_for_http_1_0_and_not_in_a_response(serve, worker):
    server = serve(*worker)
    with server.client() as client:
        ask(client, "/hints", "Connection: keep-alive\r\n", "1.0")
        interim, answer = heads(client)
        assert (interim, answer.body) == ([], b"done")
        ask(client, "/streamed")
        answer = client.response()
        # start_response sends nothing: the first one still comes before the response.
        assert (answer.interim, answer.body) == ([103], b"written yielded twice")


@WORKERS
def test_what_cannot_be_sent_is_told(serve, worker):
    with serve(*worker).client() as client:
        answer = client.get("/wrong")
        assert answer.text == "ValueError ValueError ValueError ValueError TypeError TypeError ValueError ValueError"
        assert answer.interim == []


@WORKERS
def test_one_that_was_kept_does_nothing(serve, worker):
    with serve(*worker).client() as client:
        assert client.get("/keep").text == "kept"
        answer = client.get("/use_kept")
        assert (answer.text, answer.interim) == ("used", [])
        assert client.get("/hints").interim == [103, 103]


@WORKERS
def test_a_client_that_reads_late_gets_a_whole_response(serve, worker):
    server = serve(*worker)
    with Client(server.address) as client, server.client() as other:
        ask(client, "/many")
        # No hint waits for its client, whose worker is free for others.
        wait_until(lambda: other.get("/all_said").text == "True", "the end of the hints")
        answer = client.response()
        assert answer.text == "done"
        assert 0 < len(answer.interim) < 2000 and set(answer.interim) == {103}
        assert client.get("/hints").text == "done"


@WORKERS
def test_beside_100_continue(serve, worker):
    with serve(*worker).client() as client:
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        first = client.head().status
        # The body is read before the application is called, or when it asks.
        expected = [103, 100, 103] if worker[1] == "async" else [100, 103, 103]
        assert first == expected[0]
        second = client.head().status if worker[1] == "async" else None
        assert second in (None, 100)
        client.send("body")
        answer = client.response()
        assert (answer.text, [each for each in (first, second) if each] + answer.interim) == ("body", expected)


def test_asgi(serve):
    with serve("-k", "async", "--interface", "asgi", app="hints_probe:asgi").client() as client:
        ask(client, "/hints")
        interim, answer = heads(client)
        assert [each.headers for each in interim] == [[("Link", "</style.css>; rel=preload"), ("Link", "</b>")]] * 2
        assert answer.text == "True "
        answer = client.get("/late")
        assert (answer.text, answer.interim) == ("True RuntimeError", [])
        assert client.get("/wrong").text == "True ValueError TypeError TypeError ValueError"
        ask(client, "/hints", "Connection: keep-alive\r\n", "1.0")
        interim, answer = heads(client)
        assert (interim, answer.text) == ([], "False ")


@pytest.mark.skipif(not fronts.HAPROXY, reason="needs haproxy")
def test_through_haproxy(serve, tmp_path):
    front = fronts.haproxy(serve("-k", "async", "--keep-alive", "75").address, tmp_path / "front")
    try:
        with Client(front.address) as client:
            assert [client.get("/hints").interim for _ in range(3)] == [[103, 103]] * 3
    finally:
        front.stop()


def test_switched_off(serve):
    """As older nginx needs it, which takes the first for the response."""
    with serve("-k", "async", "--no-early-hints").client() as client:
        answer = client.get("/hints")
        assert (answer.text, answer.interim) == ("done", [])
    with serve("-k", "async", "--no-early-hints", "--interface", "asgi", app="hints_probe:asgi").client() as client:
        answer = client.get("/hints")
        assert (answer.text, answer.interim) == ("False ", [])


def test_native(start):
    server = start("-k", "async", INSPECT)
    server.allow("the application threw: a response header field has an invalid name or value")
    with server.client() as client:
        ask(client, "/?hint")
        interim, answer = heads(client)
        assert [each.headers for each in interim] == [[STYLE, ("Link", "</code.js>")]]
        assert answer.status == 200
        ask(client, "/?wrong-hint")
        interim, answer = heads(client)
        assert (interim, answer.status) == ([], 500)
