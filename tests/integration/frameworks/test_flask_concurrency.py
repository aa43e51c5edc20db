# SPDX-License-Identifier: MIT
"""Flask with many requests at once: on greenlets, and where it makes sense on threads."""

import contextlib
import time

import pytest

from harness.waiting import LONG, wait_until


@pytest.fixture(scope="module")
def greenlets(serve):
    return serve("async", "flask_site:app")


@pytest.fixture(scope="module", params=["async", "gthread"])
def concurrent(request, serve):
    server = serve(request.param, "flask_site:app")
    server.way = request.param
    return server


@contextlib.contextmanager
def clients(server, count):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.client()) for _ in range(count)]


def test_sleeping_requests_finish_together(greenlets):
    """One after the other they would take 40 s."""
    with clients(greenlets, 200) as all_clients:
        begin = time.monotonic()
        for client in all_clients:
            client.request("/sleep/0.2")
        for client in all_clients:
            assert client.response().text == "slept\n"
        assert time.monotonic() - begin < 8


def test_eight_threads_sleep_together(serve):
    """One after the other they would take 6.4 s."""
    server = serve("gthread", "flask_site:app")
    with clients(server, 32) as all_clients:
        begin = time.monotonic()
        for client in all_clients:
            client.request("/sleep/0.2")
        for client in all_clients:
            assert client.response().text == "slept\n"
        assert time.monotonic() - begin < 4


def test_request_waits_for_another(concurrent):
    with concurrent.client() as first, concurrent.client() as second:
        first.request("/gate/a")
        head = first.head()
        assert head.header("Transfer-Encoding") == "chunked"
        # The first line comes before the gate is open.
        assert first._exactly(13, time.monotonic() + LONG) == b"8\r\nwaiting\n\r\n"
        assert second.get("/open/a").text == "opened\n"
        assert first._exactly(12, time.monotonic() + LONG) == b"7\r\nopened\n\r\n"


def test_both_directions_at_once(greenlets):
    with greenlets.client() as client:
        client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send("6\r\nfirst\n\r\n")
        assert client.head().status == 200
        assert client._exactly(11, time.monotonic() + LONG) == b"6\r\nfirst\n\r\n"
        client.send("7\r\nsecond\n\r\n0\r\n\r\n")
        expected = b"7\r\nsecond\n\r\n0\r\n\r\n"
        assert client._exactly(len(expected), time.monotonic() + LONG) == expected
        assert client.get("/").text == "Hello from Flask\n"


def test_nothing_of_another_request_is_seen(greenlets):
    """Neither of those before on the connection nor of those beside it."""
    with clients(greenlets, 20) as all_clients:
        for turn in range(5):
            for number, client in enumerate(all_clients):
                client.request(f"/state/{turn}.{number}")
            for client in all_clients:
                answer = client.response()
                assert answer.text.count("null") == 4, answer.text
                assert '"kept":true' in answer.text.replace(" ", "")


def test_threads_do_not_mix_requests(serve):
    server = serve("gthread", "flask_site:app")
    with clients(server, 16) as all_clients:
        for number, client in enumerate(all_clients):
            client.request(f"/state/{number}")
        for client in all_clients:
            text = client.response().text.replace(" ", "")
            assert '"g":null' in text and '"kept":true' in text, text


def test_async_views_at_once(greenlets):
    with clients(greenlets, 30) as all_clients:
        for client in all_clients:
            client.request("/async")
        for client in all_clients:
            assert client.response().text.replace(" ", "") == '{"gathered":[1,2,3]}\n'


def test_background_greenlet_outlives_its_request(greenlets, browser):
    client = browser(greenlets)
    assert client.get("/background/later").json() == []
    wait_until(lambda: client.get("/background").json() == ["later"], "the greenlet has ended")


def test_slow_reader_and_slow_writer_hold_nobody_up(concurrent, browser):
    with clients(concurrent, 30) as slow:
        for number, client in enumerate(slow):
            if number % 2 and concurrent.way == "async":
                # Never reads, and would hold a thread: the response meets the end of the socket's buffers.
                client.request("/endless")
            else:
                client.send("POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nfirst")
        assert browser(concurrent).get("/").text == "Hello from Flask\n"
