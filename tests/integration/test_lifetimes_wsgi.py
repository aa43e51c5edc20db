# SPDX-License-Identifier: MIT
"""Whatever a WSGI request has started ends with it, whoever ends it; nothing of it reaches another."""

import socket
import sys
import threading
import time

import pytest

from harness.client import Closed
from harness.paths import ROOT
from harness.waiting import first_true, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"

STALLED = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc"

GREENLETS = ["async", "eventlet"]


@pytest.fixture
def serve(start):
    def factory(worker_class, *args):
        if worker_class in GREENLETS:
            pytest.importorskip({"async": "gevent"}.get(worker_class, worker_class))
        options = ["--threads", 12] if worker_class == "gthread" else []
        return start(
            "-k", worker_class, "--python", sys.executable, "--pythonpath", APPS, *options, *args,
            "lifetime_wsgi", env={"PYTHONDONTWRITEBYTECODE": "1"},
        )

    return factory


def stalled(server, path):
    client = server.client()
    client.send(STALLED % path.encode())
    return client


@pytest.mark.parametrize("worker_class", GREENLETS)
@pytest.mark.parametrize(
    "path, status", [("/early", 200), ("/fails", 500), ("/streams_early", 200)]
)
def test_answer_does_not_wait_for_a_reader(serve, worker_class, path, status):
    server = serve(worker_class)
    server.allow("on purpose|Error handling|Traceback")
    before = server.get("/pid").text
    clients = [stalled(server, path) for _ in range(10)]
    assert [client.response().status for client in clients] == [status] * 10
    # The readers have been told.
    wait_until(
        lambda: server.get("/what_came_after").text == " ".join(["ConnectionError"] * 10),
        "the reads have ended",
    )
    for client in clients:
        client.close()
    assert server.get("/pid").text == before


def test_answer_that_ends_the_connection_arrives_whole_before_what_was_sent_ahead(serve):
    """Requests behind it are not answered; their bytes must not cost the answer (RFC 9112, 9.6)."""
    server = serve("async")
    body = b"x" * 300_000
    request = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + body
    behind = b"POST /pid HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n" + b"y" * 9000
    for _ in range(20):
        with server.client() as client:
            sender = threading.Thread(target=client.sock.sendall, args=(request + behind,))
            sender.start()
            answer = client.response()
            sender.join()
            assert answer.body == body


def test_answer_that_ends_the_connection_arrives_whole_before_what_comes_behind_it(serve, tmp_path):
    """The client's next request was on its way when the server decided to close (RFC 9112, 9.6)."""
    access = tmp_path / "access.log"
    server = serve("sync", "--access-logfile", access)
    request = b"GET /last HTTP/1.1\r\nHost: a\r\n\r\n"
    with socket.socket() as client:
        client.settimeout(10)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(server.address)
        client.sendall(request)
        heard = bytearray()
        # Until the server has handed all of it to the kernel, and not much longer, however slow it is.
        while not first_true(lambda: "GET /last" in access.read_text(), 0.05):
            heard += client.recv(16384)
        client.sendall(request)
        assert len(heard) < 800_000, "something is still under way"
        while piece := client.recv(65536):
            heard += piece
    head, _, body = bytes(heard).partition(b"\r\n\r\n")
    assert b"Connection: close" in head
    assert body == b"z" * 800_000


@pytest.mark.parametrize("worker_class", GREENLETS)
def test_connection_lives_on_when_the_rest_of_the_body_comes(serve, worker_class):
    server = serve(worker_class)
    with server.client() as client:
        client.send(STALLED % b"/early")
        assert client.response().text == "early"
        client.send(b"x" * 99_997)
        assert client.get("/pid").status == 200


def test_timeout_around_a_read(serve):
    server = serve("async")
    for _ in range(3):
        client = stalled(server, "/timeout_around_read")
        answer = client.response()
        assert (answer.status, answer.text) == (408, "too slow")
        client.close()


def test_timeout_around_a_stream_with_an_unread_body(serve):
    server = serve("async")
    before = server.get("/pid").text
    client = server.client()
    client.send(
        "POST /timeout_around_stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n"
    )
    wait_until(lambda: server.get("/what_came_after").text == "timeout", "the timeout has come")
    # What was under way still arrives whole, and the response has its end.
    client.send("0\r\n\r\n")
    assert set(client.response().body) == set(b"x")
    client.close()
    assert server.get("/pid").text == before


@pytest.mark.parametrize("worker_class", GREENLETS)
def test_writing_while_reading(serve, worker_class):
    server = serve(worker_class)
    with server.client() as client:
        client.send("POST /progress HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n")
        assert client.head().status == 200
        deadline = time.monotonic() + 10
        for count in range(5):
            # The progress of each piece comes before the next one is sent.
            client._until(b"%d\n" % (count * 100_000), deadline)
            client.send(b"x" * 100_000)
        client._until(b"all 500000\n", deadline)


@pytest.mark.parametrize("worker_class", GREENLETS)
def test_each_byte_goes_to_one_of_several_readers(serve, worker_class):
    server = serve(worker_class)
    pieces = [b"%010d" % number for number in range(200)]
    with server.client() as client:
        client.send("POST /two_readers HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n")
        for piece in pieces:
            client.send(piece)
        assert client.response().body == b"".join(pieces)


@pytest.mark.parametrize("worker_class", [*GREENLETS, "gthread"])
def test_several_writers(serve, worker_class):
    server = serve(worker_class)
    body = server.get("/two_writers").body
    assert sorted(body[at : at + 1000] for at in range(0, len(body), 1000)) == [
        name * 1000 for name in (b"a", b"b", b"c") for _ in range(50)
    ]


@pytest.mark.parametrize("worker_class", [*GREENLETS, "gthread"])
def test_client_that_leaves_is_no_failure_of_the_application(serve, worker_class):
    server = serve(worker_class)
    client = server.client()
    client.request("/endless")
    assert client.head().status == 200
    client.reset()
    wait_until(lambda: server.get("/what_came_after").text == "ended", "the application is told")
    server.wait_log("the client went away before its response was complete")


@pytest.mark.parametrize("worker_class", [*GREENLETS, "gthread"])
@pytest.mark.parametrize("path", ["/lazy", "/wrong"])
def test_headers_of_an_ended_request_reach_no_other(serve, worker_class, path):
    """A request is ended while its headers are made; others get what it had lent."""
    server = serve(worker_class, "--request-timeout", 0.3)
    server.allow("request_timeout|Error handling|Traceback|TypeError|Error|^ ")
    end = time.monotonic() + 3
    wrong = []

    def ask(target):
        while time.monotonic() < end:
            try:
                server.get(target)
            except Closed:
                pass

    def check(name):
        for number in range(10_000):
            if time.monotonic() > end:
                return
            mark = f"{name}-{number}"
            answer = server.get(f"/own?{mark}")
            if answer.status == 504:
                continue
            found = (answer.status, answer.header("X-Mark"), answer.header("Set-Cookie"), answer.text)
            if found != (403, mark, mark, mark) or answer.header("X-Lazy"):
                wrong.append((mark, answer))

    threads = [threading.Thread(target=ask, args=(path,)) for _ in range(4)]
    threads += [threading.Thread(target=check, args=(f"own{number}",)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong
