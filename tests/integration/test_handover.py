# SPDX-License-Identifier: MIT
"""WSGI applications that speak with the client themselves, on gunicorn.socket."""

import re
import signal
import sys
import threading
import time

import pytest

from harness import processes
from harness.client import Client
from harness.frames import handshake
from harness.paths import ROOT
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"

CLASSES = ["sync", "gthread", "async", "eventlet"]
# While one request is in the application, the worker does something else too.
CONCURRENT = CLASSES[1:]


@pytest.fixture
def serve(start):
    def factory(worker_class, *args):
        if worker_class in ("async", "eventlet"):
            pytest.importorskip({"async": "gevent"}.get(worker_class, worker_class))
        options = ["--threads", 12] if worker_class == "gthread" else []
        return start(
            "-k", worker_class, "--python", sys.executable, "--pythonpath", APPS, "--access-logfile", "-",
            *options, *args, "handover_probe", env={"PYTHONDONTWRITEBYTECODE": "1"},
        )

    return factory


def asking(server, path, early=b""):
    client = server.client()
    client.send(handshake(path) + early)
    return client


def opened(server, path, early=b""):
    client = asking(server, path, early)
    assert client.head().status == 101
    return client


def said(client, text):
    client.send(text)
    return client._exactly(len(text), time.monotonic() + client.timeout)


def status_of(server, path):
    pattern = re.compile(rf'"GET {path} HTTP/1.1" (\d+)')
    return int(wait_until(lambda: pattern.search(server.output()), f"{path} is logged")[1])


ECHOES = [
    "/echo", "/returns", "/returns_nothing", "/writes", "/generates", "/in_a_thread", "/waits_for_it",
    "/as_a_file", "/duplicates",
]


@pytest.mark.parametrize("worker_class", CLASSES)
def test_the_application_speaks(serve, worker_class):
    server = serve(worker_class)
    before = server.get("/pid").text
    for path in ECHOES:
        with opened(server, path) as client:
            for number in range(5):
                line = b"line %d\n" % number
                assert said(client, line) == line, path
            client.end_sending()
            assert client.closed_by_server(), path
        assert status_of(server, path) == 101
    assert server.get("/pid").text == before


@pytest.mark.parametrize("worker_class", CLASSES)
@pytest.mark.parametrize("path", ["/echo", "/waits_for_it", "/as_a_file", "/in_a_thread"])
def test_bytes_right_behind_the_request(serve, worker_class, path):
    """They were read with the head; the application gets them all the same, in order."""
    server = serve(worker_class)
    with opened(server, path, early=b"early\n") as client:
        assert client._exactly(6, time.monotonic() + client.timeout) == b"early\n"
        assert said(client, b"later\n") == b"later\n"
        client.end_sending()
        assert client.closed_by_server()
    # What the application says at last is not lost either.
    with opened(server, "/says_goodbye", early=b"early") as client:
        client.end_sending()
        assert client.rest() == b"bye"
    assert status_of(server, "/says_goodbye") == 101


@pytest.mark.parametrize("worker_class", CLASSES)
@pytest.mark.parametrize("early", [b"", b"early"])
def test_much_in_both_directions(serve, worker_class, early):
    server = serve(worker_class)
    piece = bytes(range(256)) * 256
    with opened(server, "/echo", early=early) as client:
        assert client._exactly(len(early), time.monotonic() + client.timeout) == early
        sender = threading.Thread(target=lambda: [client.sock.sendall(piece) for _ in range(100)])
        sender.start()
        for _ in range(100):
            assert client._exactly(len(piece), time.monotonic() + 20) == piece
        sender.join()


@pytest.mark.parametrize("worker_class", CLASSES)
def test_client_vanishes(serve, worker_class):
    server = serve(worker_class)
    before = server.get("/pid").text
    for early in (b"", b"early"):
        client = opened(server, "/echo", early=early)
        client.reset()
    assert server.get("/pid").text == before
    assert status_of(server, "/echo") == 101


@pytest.mark.parametrize("worker_class", CLASSES)
def test_failure_is_logged_and_sent_to_nobody(serve, worker_class):
    server = serve(worker_class)
    server.allow("Error handling request GET /fails|Traceback|ValueError: on purpose")
    with opened(server, "/fails") as client:
        client.end_sending()
        assert client.closed_by_server()
    server.wait_log("ValueError: on purpose")
    assert status_of(server, "/fails") == 101


@pytest.mark.parametrize("worker_class", CLASSES)
def test_a_thread_that_still_speaks_is_let_end(serve, worker_class):
    server = serve(worker_class)
    for early in (b"", b"early"):
        with opened(server, "/answers_beside", early=early) as client:
            assert client.rest() == b"last words"


@pytest.mark.parametrize("worker_class", CONCURRENT)
def test_client_sees_that_the_application_has_closed(serve, worker_class):
    server = serve(worker_class)
    for early in (b"", b"early"):
        with opened(server, "/closes", early=early) as client:
            assert client.closed_by_server()
    assert server.get("/closed").text == "closed"


@pytest.mark.parametrize("worker_class", CLASSES)
def test_who_does_not_use_it_answers_as_always(serve, worker_class):
    server = serve(worker_class)
    worker = server.workers()[0]
    with server.client() as client:
        client.get("/pid")
        before = processes.fd_count(worker)
        for _ in range(3):
            client.send(handshake("/ignores"))
            assert client.response().text == "True True True True None"
        assert client.get("/has_none").text == "False"
        # A request behind it is one.
        client.send(handshake("/ignores") * 3)
        assert [client.response().status for _ in range(3)] == [200] * 3
        assert client.get("/pid").status == 200
        wait_until(lambda: processes.fd_count(worker) <= before, "nothing is left open")
    assert status_of(server, "/ignores") == 200


@pytest.mark.parametrize("worker_class", CLASSES)
def test_stop_iteration_without_it_is_a_failure(serve, worker_class):
    server = serve(worker_class)
    server.allow("Error handling request GET /stops_without|Traceback|StopIteration")
    with asking(server, "/stops_without") as client:
        assert client.response().status == 500
    server.wait_log("StopIteration")


@pytest.mark.parametrize("worker_class", CLASSES)
def test_after_the_answer_it_is_good_for_nothing(serve, worker_class):
    server = serve(worker_class)
    with server.client() as client:
        client.send(handshake("/keeps"))
        assert client.response().text == "kept"
        # The connection serves others now.
        assert client.get("/uses_kept").text in ("OSError OSError -1", "OSError OSError OSError")
        client.send(handshake("/too_late"))
        assert client.response().text == "firstother"
        assert client.get("/what_came_after").text == "refused"


@pytest.mark.parametrize("worker_class", ["gthread", "async"])
def test_request_timeout(serve, worker_class):
    server = serve(worker_class, "--request-timeout", "0.3")
    with opened(server, "/echo") as client, opened(server, "/echo", b"early") as other:
        with server.client() as late:
            late.send(handshake("/slow"))
            answer = late.response()
            assert (answer.status, b"mixed in" in answer.body) == (504, False)
            if worker_class == "async":
                assert late.get("/what_came_after").text == "refused"
        # That was longer than theirs.
        assert said(client, b"still here") == b"still here"
        assert other._exactly(5, time.monotonic() + 10) == b"early"
        assert said(other, b"still here") == b"still here"


@pytest.mark.parametrize("worker_class", CONCURRENT)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_worker_that_ends_lets_the_application_end(serve, worker_class, number):
    server = serve(worker_class)
    clients = [opened(server, "/says_goodbye"), opened(server, "/says_goodbye", b"early")]
    server.send(number)
    assert [client.rest() for client in clients] == [b"bye", b"bye"]
    for client in clients:
        client.close()
    if number == signal.SIGTERM:
        assert server.wait_exit() == 0
    else:
        server.wait_log("Worker exiting")
        assert server.get("/pid").status == 200


@pytest.mark.parametrize("worker_class", CONCURRENT)
def test_recycled_worker(serve, worker_class):
    server = serve(worker_class, "--max-requests", "3")
    first = server.workers()
    with opened(server, "/says_goodbye") as client:
        for _ in range(3):
            server.get("/pid")
        assert client.rest() == b"bye"
    wait_until(lambda: first != server.workers() and server.workers(), "another worker")
    # It counts itself.
    workers = server.workers()
    for _ in range(3):
        with opened(server, "/says_goodbye") as client:
            client.end_sending()
            assert client.rest() == b"bye"
    wait_until(lambda: workers != server.workers() and server.workers(), "another worker")


@pytest.mark.parametrize("worker_class", CONCURRENT)
def test_worker_does_not_wait_for_ever(serve, worker_class):
    server = serve(worker_class, "--graceful-timeout", "0.5")
    with opened(server, "/never_ends") as client, opened(server, "/never_ends", b"early") as other:
        server.send(signal.SIGTERM)
        assert (client.rest(), other.rest()) == (b"", b"")
        assert server.wait_exit() == 0


@pytest.mark.parametrize("worker_class", CONCURRENT)
def test_quick_shutdown(serve, worker_class):
    server = serve(worker_class)
    with opened(server, "/never_ends") as client, opened(server, "/echo", b"early") as other:
        assert other._exactly(5, time.monotonic() + 10) == b"early"
        server.send(signal.SIGINT)
        assert (client.rest(), other.rest()) == (b"", b"")
        assert server.wait_exit() == 0


@pytest.mark.parametrize("worker_class", CONCURRENT)
def test_it_counts_as_a_connection(serve, worker_class):
    server = serve(worker_class, "--worker-connections", "2")
    with opened(server, "/echo") as one, opened(server, "/echo", b"early"):
        with server.client() as third:
            third.request("/pid")
            assert third.silent(0.3)
            one.end_sending()
            assert third.response().status == 200


@pytest.mark.parametrize("worker_class", ["gthread", "async"])
def test_many_leave_nothing(serve, worker_class):
    server = serve(worker_class, *(["--threads", "40"] if worker_class == "gthread" else []))
    worker = server.workers()[0]
    server.get("/pid")
    before = processes.fd_count(worker)
    for _ in range(3):
        clients = [opened(server, "/echo", b"early" if number % 2 else b"") for number in range(30)]
        for number, client in enumerate(clients):
            if number % 2:
                client._exactly(5, time.monotonic() + 10)
            assert said(client, b"%d" % number) == b"%d" % number
        for number, client in enumerate(clients):
            client.reset() if number % 3 else client.close()
        wait_until(lambda: processes.fd_count(worker) <= before, "the descriptors are closed")
    server.wait_workers(1)
    assert server.workers() == [worker]


def test_on_a_unix_socket(start, tmp_path):
    path = str(tmp_path / "socket")
    server = start(
        "-k", "gthread", "--threads", "4", "--python", sys.executable, "--pythonpath", APPS, "-b", f"unix:{path}",
        "handover_probe", listen=False, env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    for early in (b"", b"early"):
        with Client(path) as client:
            client.send(handshake("/echo") + early)
            assert client.head().status == 101
            assert client._exactly(len(early), time.monotonic() + 10) == early
            assert said(client, b"hello") == b"hello"
    assert server.child.running
