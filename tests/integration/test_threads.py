# SPDX-License-Identifier: MIT
"""WSGI on a pool of threads: --threads, -k gthread."""

import sys

import pytest

from harness.paths import ROOT
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"


@pytest.fixture
def serve(start):
    def factory(*args, threads=4, **more):
        return start(
            "-k", "gthread", "--threads", threads, "--python", sys.executable, "--pythonpath", APPS, *args,
            "thread_probe", env={"PYTHONDONTWRITEBYTECODE": "1"}, **more,
        )

    return factory


def ask(server, targets):
    clients = [server.client() for _ in targets]
    for client, target in zip(clients, targets):
        client.request(target)
    answers = [client.response() for client in clients]
    for client in clients:
        client.close()
    return answers


def test_as_many_requests_inside_as_threads(serve):
    server = serve()
    answers = ask(server, ["/meet"] * 4)
    assert sorted(answer.text for answer in answers) == [f"unicoro-{n}" for n in range(4)]


def test_class_by_name_has_one_thread(start):
    server = start(
        "-k", "gthread", "--python", sys.executable, "--pythonpath", APPS, "thread_probe",
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    with server.client() as client:
        assert client.get("/quick").text == "True"
    assert [answer.status for answer in ask(server, ["/quick"] * 50)] == [200] * 50


def test_many_requests_wait_for_a_thread(serve):
    server = serve(threads=2)
    assert [answer.text for answer in ask(server, ["/quick"] * 300)] == ["True"] * 300


def test_slow_uploads_hold_no_thread(serve):
    server = serve(threads=1)
    slow = [server.client() for _ in range(20)]
    for client in slow:
        client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\nbegin")
    with server.client() as client:
        assert client.get("/quick").text == "True"
    for client in slow:
        client.send(b"x" * 2_999_995)
        assert client.response().text == "3000000"
        client.close()


def test_slow_readers_hold_no_thread(serve):
    """One that reads nothing of a response that fits what is kept for it."""
    server = serve(threads=1)
    slow = [server.client() for _ in range(5)]
    for client in slow:
        client.request("/pieces?150")
        client.request("/large")
    with server.client() as client:
        assert client.get("/quick").text == "True"
    for client in slow:
        assert client.response().body == b"".join(b"%06d" % n * 1000 for n in range(150))
        assert client.response().body == b"y" * 3_000_000
        client.close()


def test_slow_readers_of_long_responses_hold_no_thread(serve):
    """What they do not read goes to a file."""
    server = serve(threads=1)
    slow = [server.client() for _ in range(3)]
    for client in slow:
        client.request("/pieces?5000")
    with server.client() as client:
        assert client.get("/quick").text == "True"
    for client in slow:
        assert client.response().body == b"".join(b"%06d" % n * 1000 for n in range(5000))
        client.close()


def test_response_longer_than_what_is_kept(serve):
    server = serve(threads=1)
    with server.client() as client:
        assert client.get("/pieces?2000").body == b"".join(b"%06d" % n * 1000 for n in range(2000))
        assert client.get("/written").text == "one two three"


def test_client_that_leaves_frees_the_thread(serve):
    server = serve(threads=1)
    client = server.client()
    client.request("/pieces?100000")
    client.head()
    client.reset()
    with server.client() as other:
        assert other.get("/quick").text == "True"


def test_request_timeout(serve):
    server = serve("--request-timeout", 0.5)
    server.allow("request_timeout")
    answers = ask(server, ["/stuck"] * 2 + ["/quick"] * 20)
    assert [answer.status for answer in answers] == [504] * 2 + [200] * 20
    assert "in stuck\n    time.sleep(0.05)" in server.log()
    with server.client() as client:
        wait_until(
            lambda: client.get("/ended").text == "RequestCancelled RequestCancelled",
            "both were told",
        )


def test_failure_of_the_application(serve):
    server = serve()
    server.allow(".")
    with server.client() as client:
        assert client.get("/broken").status == 500
        assert client.get("/quick").status == 200
    assert "ValueError: on purpose" in server.log()


@pytest.mark.parametrize("size", [6, 3_000_000])
def test_failure_behind_a_part_of_the_body(serve, size):
    """What came before it goes out; only then the connection is cut."""
    server = serve()
    server.allow(".")
    for _ in range(100 if size < 1000 else 3):
        with server.client() as client:
            client.request(f"/broken_behind?{size}")
            head = client.head()
            assert (head.status, head.header("Transfer-Encoding")) == (200, "chunked")
            body = client.rest()
            assert body.count(b"z") == size
            assert not body.endswith(b"0\r\n\r\n")
    assert "ValueError: behind a part" in server.log()


def test_head_is_not_replaced_behind_a_part_of_the_body(serve):
    server = serve()
    server.allow(".")
    for _ in range(50):
        with server.client() as client:
            client.request("/replaced_behind")
            assert client.head().status == 200
            assert b"another" not in client.rest()
    assert "ValueError: too late for another head" in server.log()


def test_worker_ends_in_order_with_a_stuck_thread(serve):
    server = serve("--graceful-timeout", 1)
    server.allow(".")
    with server.client() as client:
        client.request("/stuck")
        with server.client() as other:
            assert other.get("/quick").status == 200
        assert server.stop() == 0
        assert client.response().status == 503
