# SPDX-License-Identifier: MIT
"""write() of WSGI: what it is given goes out before it returns, in every class."""

import collections
import re
import sys
import time
from pathlib import Path

import pytest

from harness.paths import ROOT
from harness.waiting import LONG, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"

CLASSES = pytest.mark.parametrize("kind", [["-k", "sync"], ["--threads", "4"], ["-k", "async"]], ids=str)


@pytest.fixture
def notes(tmp_path):
    path = tmp_path / "notes"

    def lines():
        return path.read_text().splitlines() if path.exists() else []

    lines.path = path
    return lines


@pytest.fixture
def serve(start, notes):
    def factory(*args, **more):
        return start(
            "--python", sys.executable, "--pythonpath", APPS, *args, "write_probe",
            env={"PYTHONDONTWRITEBYTECODE": "1", "NOTES": str(notes.path)}, **more,
        )

    return factory


def read(client, count):
    """So many bytes as they come, without framing."""
    return client._exactly(count, time.monotonic() + LONG)


def read_to_end(client):
    """The rest of a body that the end of the connection ends, however large."""
    pieces = [client._unread]
    client.sock.settimeout(LONG)
    while pieces[-1] or len(pieces) == 1:
        pieces.append(client.sock.recv(1 << 20))
    return b"".join(pieces)


def most_memory(server):
    """The most a worker ever had in memory, in MB."""
    (worker,) = server.workers()
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{worker}/status").read_text())[1]) // 1024


def large_body(megabytes):
    return b"".join(b"%06d\n" % number * 142_858 for number in range(megabytes))


@pytest.mark.parametrize("kind", [["-k", "sync"], ["--threads", "4"]], ids=str)
def test_it_arrives_at_once(serve, gate, kind):
    server = serve(*kind)
    with server.client() as client:
        client.request(f"/gated?gate={gate.path}")
        assert client.head().header("Transfer-Encoding") == "chunked"
        gate.wait_entered()
        assert read(client, 10) == b"5\r\nfirst\r\n"
        gate.release()
        expected = b"6\r\nsecond\r\n0\r\n\r\n"
        assert read(client, len(expected)) == expected
        assert client.get("/quick").text == "quick"


@CLASSES
@pytest.mark.parametrize(("rest", "body"), [("list", "one two three"), ("iterator", "one two three"),
                                            ("nothing", "one two ")])
def test_framing(serve, kind, rest, body):
    server = serve(*kind)
    with server.client() as client:
        chunked = client.get(f"/framed?rest={rest}")
        assert (chunked.header("Transfer-Encoding"), chunked.text) == ("chunked", body)
        counted = client.get(f"/framed?rest={rest}&length={len(body)}")
        assert (counted.header("Content-Length"), counted.text) == (str(len(body)), body)
        assert client.get(f"/framed?rest={rest}", method="HEAD").status == 200
        assert client.get("/quick").text == "quick"
    with server.client() as client:
        client.send(f"GET /framed?rest={rest} HTTP/1.0\r\n\r\n")
        old = client.head()
        assert (old.header("Transfer-Encoding"), old.header("Connection")) == (None, "close")
        assert client.rest() == body.encode()


@CLASSES
def test_length_that_is_not_kept(serve, kind):
    server = serve(*kind)
    server.allow("the response body is longer|the response body has")
    with server.client() as client:
        assert client.get("/framed?rest=list&length=6").text == "one tw"
        assert client.get("/quick").text == "quick"
        client.request("/framed?rest=list&length=20")
        client.head()
        assert client.rest() == b"one two three"


@pytest.mark.needs_plain_build("measures memory; freed blocks stay in quarantine")
@CLASSES
def test_it_keeps_nothing_in_memory(serve, kind, notes):
    server = serve(*kind)
    with server.client() as client:
        client.get("/quick")
        before = most_memory(server)
        client.send("GET /large?megabytes=160 HTTP/1.0\r\n\r\n")
        client.head()
        assert read_to_end(client) == large_body(160)
        # malloc keeps some of the pieces that were given back.
        assert most_memory(server) < before + 80


def test_client_that_reads_late(serve, notes):
    """The application waits for it, as under gunicorn."""
    server = serve("-k", "sync")
    with server.client() as client:
        client.request("/large?megabytes=20")
        client.head()
        assert client.silent(0) is False
        assert notes() == []
        assert client._chunks(time.monotonic() + LONG) == large_body(20)
        assert client.get("/quick").text == "quick"
    assert notes() == ["all written"]


@CLASSES
def test_client_that_leaves(serve, notes, kind):
    server = serve(*kind)
    client = server.client()
    client.request("/large?megabytes=3000")
    client.head()
    client.reset()
    wait_until(notes, "it was told")
    assert re.match("ConnectionError: the client has gone", notes()[0])
    assert server.get("/quick").text == "quick"


def test_send_timeout(serve, notes):
    server = serve("-k", "sync", "--send-timeout", 0.4)
    with server.client() as client:
        client.request("/large?megabytes=100")
        client.head()
        wait_until(notes, "it was told")
        assert re.match("ConnectionError: the client has gone", notes()[0])
        assert server.get("/quick").text == "quick"
    server.wait_log("send_timeout: GET /large")


@CLASSES
def test_head_is_not_replaced_behind_a_written_piece(serve, kind):
    server = serve(*kind)
    server.allow("Error handling request|Traceback")
    with server.client() as client:
        client.request("/replaced")
        assert client.head().status == 200
        assert client.rest() == b"5\r\nbegin\r\n"
    server.wait_log("ValueError: too late for another head")


@pytest.mark.parametrize("kind", [["-k", "sync"], ["--threads", "4"]], ids=str)
def test_threads_write_one_response(serve, kind):
    server = serve(*kind)
    with server.client() as client:
        answer = client.get("/crowd")
        assert answer.body.endswith(b"end")
        assert collections.Counter(answer.body[:-3]) == {ord(letter): 200_000 for letter in "abcd"}
        assert client.get("/quick").text == "quick"


def test_thread_is_in_write_as_the_request_ends(serve, notes, gate):
    """Its piece goes out whole; the next one is refused."""
    server = serve("-k", "sync")
    with server.client() as client:
        client.request(f"/beside?gate={gate.path}")
        client.head()
        gate.release()
        body = client._chunks(time.monotonic() + LONG)
        assert client.get("/threads_ended").text == "[False]"
    # The kernel may have room for more than one before the request ends.
    pieces, left = divmod(len(body), 5_000_000)
    assert pieces and not left and body.count(b"x") == len(body)
    assert notes()[:-1] == ["written"] * pieces
    assert notes()[-1] in ("ConnectionError", "RuntimeError")


def test_thread_is_in_write_as_the_client_leaves(serve, notes, gate):
    server = serve("-k", "sync")
    client = server.client()
    client.request(f"/beside?gate={gate.path}")
    client.head()
    gate.release()
    client.reset()
    assert server.get("/threads_ended").text == "[False]"
    assert notes() == ["ConnectionError"]


def test_thread_writes_beside_a_generator(serve, make_gate):
    """Only while the loop's thread is in the application, so that no piece cuts another."""
    server = serve("-k", "sync")
    for number in range(3):
        gate = make_gate(f"gate{number}")
        with server.client() as client:
            client.request(f"/beside?goes_on=1&size=200000&gate={gate.path}")
            client.head()
            gate.release()
            body = client._chunks(time.monotonic() + LONG)
            assert body.count(b"y") == 100_000
            pieces = re.findall(b"x+", body)
            assert all(len(piece) % 200_000 == 0 for piece in pieces) and pieces
    assert server.get("/threads_ended").text == repr([False] * 3)
