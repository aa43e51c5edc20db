# SPDX-License-Identifier: MIT
"""Clients that are slow, odd or gone, and the answers on the wire."""

import re
import socket
import struct
import time

import pytest

from harness.client import Closed
from harness.paths import HELLO, probe


def test_fields_of_an_answer(start):
    server = start(HELLO)
    with server.client() as client:
        answer = client.get("/")
        assert (answer.version, answer.status, answer.reason) == ("HTTP/1.1", 200, "OK")
        assert answer.body == b"Hello, world!\n"
        assert answer.header("Content-Length") == "14"
        assert answer.header("Content-Type") == "text/plain; charset=utf-8"
        assert answer.header("Server") == "unicoro"
        assert re.fullmatch(
            r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
            answer.header("Date"),
        )


def test_server_field_can_be_changed_and_left_out(start):
    assert start("--server-header", "shop/2", HELLO).get("/").header("Server") == "shop/2"
    assert start("--server-header", "", HELLO).get("/").header("Server") is None


def test_keep_alive_and_close(start):
    server = start("--keep-alive", "30", HELLO)
    with server.client() as client:
        for _ in range(3):
            assert client.get("/").header("Connection") in (None, "keep-alive")
        answer = client.get("/", headers=[("Connection", "close")])
        assert answer.header("Connection") == "close"
        assert client.closed_by_server()


@pytest.mark.parametrize(
    ("asked", "kept"), [("", False), ("Connection: keep-alive\r\n", True)]
)
def test_http_1_0(start, asked, kept):
    server = start(HELLO)
    with server.client() as client:
        client.send(f"GET / HTTP/1.0\r\n{asked}\r\n")
        answer = client.response()
        assert answer.status == 200 and answer.body == b"Hello, world!\n"
        if kept:
            assert answer.header("Connection") == "keep-alive"
            client.send("GET / HTTP/1.0\r\n\r\n")
            assert client.response().status == 200
        assert client.closed_by_server()


def test_idle_connection_is_closed_after_keepalive(start):
    server = start("--keep-alive", "0.3", HELLO)
    with server.client() as client:
        client.get("/")
        began = time.monotonic()
        assert client.closed_by_server()
        assert 0.2 < time.monotonic() - began < 3


def test_keepalive_zero_closes_after_each_answer(start):
    server = start("--keep-alive", "0", HELLO)
    with server.client() as client:
        assert client.get("/").header("Connection") == "close"
        assert client.closed_by_server()


@pytest.mark.parametrize("keepalive", ["0", "0.2"])
def test_keepalive_does_not_limit_the_first_request(start, keepalive):
    server = start("--keep-alive", keepalive, HELLO)
    with server.client() as client:
        assert server.get("/").status == 200
        assert client.silent(0.6)
        assert client.get("/").status == 200


def test_slow_head_is_answered_408(start):
    server = start("--header-timeout", "0.4", HELLO)
    with server.client() as client, server.client() as other:
        client.send("GET / HT")
        began = time.monotonic()
        answer = client.response()
        assert answer.status == 408
        assert answer.header("Connection") == "close"
        assert 0.3 < time.monotonic() - began < 3
        assert client.closed_by_server()
        assert other.closed_by_server(), "who says nothing is closed without an answer"
    assert server.get("/").status == 200


def test_trickling_does_not_stretch_the_head(start):
    server = start("--header-timeout", "0.5", HELLO)
    with server.client() as client:
        began = time.monotonic()
        client.send("GET / HTTP/1.1\r\n")
        while client.silent(0.05):
            client.send("X: y\r\n")
            assert time.monotonic() - began < 3, "header_timeout is for the whole head"
        assert client.response().status == 408


def test_slow_body_is_answered_408(start):
    server = start("--body-timeout", "0.4", probe())
    with server.client() as client:
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
        assert client.response().status == 408
        assert client.closed_by_server()


def test_reader_that_never_reads_is_cut_off(start):
    server = start("--send-timeout", "0.5", probe())
    with server.client() as client:
        client.request("/zeros?count=50000000")
        client.head()
        began = time.monotonic()
        while server.get("/pid").status == 200 and time.monotonic() - began < 1.5:
            pass
        with pytest.raises((Closed, ConnectionResetError)):
            client._exactly(50_000_000, time.monotonic() + 10)


def test_slow_reader_gets_everything(start):
    server = start(probe())
    with server.client() as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.request("/stream?count=200&size=50000")
        answer = client.response()
        assert answer.body == b"x" * 10_000_000
    assert server.get("/pid").status == 200


def test_half_close_still_gets_the_answer(start, gate):
    server = start(probe())
    with server.client() as client:
        client.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        client.end_sending()
        gate.release()
        assert client.response().status == 200
        assert client.closed_by_server()


def test_half_close_in_a_head_is_just_closed(start):
    server = start(HELLO)
    with server.client() as client:
        client.send("GET / HTTP/1.1\r\nHo")
        client.end_sending()
        assert client.closed_by_server()


def test_reset_in_the_middle_is_survived(start):
    server = start(probe())
    for start_of_request in ("", "GET /", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab"):
        with server.client() as client:
            client.send(start_of_request)
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert server.get("/pid").status == 200
    assert server.workers() == [int(server.get("/pid").text)]


def test_pipelining_answers_in_order(start):
    server = start(probe())
    with server.client() as client:
        client.send(
            "".join(f"GET /zeros?count={n} HTTP/1.1\r\nHost: a\r\n\r\n" for n in range(1, 51))
        )
        for n in range(1, 51):
            assert client.response().body == b"0" * n


def test_pipelined_request_behind_a_waiting_one(start, gate):
    server = start(probe())
    with server.client() as client:
        client.send(
            f"GET /hold?gate={gate.path} HTTP/1.1\r\nHost: a\r\n\r\n"
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
            "GET /zeros?count=2 HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        gate.wait_entered()
        gate.release()
        bodies = [client.response().body for _ in range(3)]
        assert bodies[1:] == [b"abc", b"00"]


def test_expect_continue(start):
    server = start(probe())
    with server.client() as client:
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert client.head().status == 100
        client.send("abc")
        assert client.response().body == b"abc"


def test_body_not_read_by_the_application(start):
    server = start(probe())
    with server.client() as client:
        assert client.get("/pid", method="POST", body=b"x" * 1000).status == 200
        assert client.get("/pid").status == 200


def test_chunked_request(start):
    server = start(probe())
    with server.client() as client:
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send("3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\nT: v\r\n\r\n")
        assert client.response().body == b"abcdefgh"
        assert client.get("/pid").status == 200


def test_large_body_goes_and_comes(start):
    server = start(probe())
    body = bytes(range(256)) * 40_000
    with server.client() as client:
        assert client.get("/echo", method="POST", body=body).body == body


def test_body_limit(start):
    server = start("--limit-request-body", "1000", probe())
    with server.client() as client:
        assert client.get("/echo", method="POST", body=b"x" * 1000).status == 200
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n")
        assert client.response().status == 413
        assert client.closed_by_server()


@pytest.mark.parametrize("code", [204, 304])
def test_answers_without_a_body(start, code):
    server = start(probe())
    with server.client() as client:
        answer = client.get(f"/status?code={code}")
        assert answer.status == code
        assert answer.header("Transfer-Encoding") is None
        assert code != 204 or answer.header("Content-Length") is None
        assert client.get("/pid").status == 200


def test_head(start):
    server = start(HELLO)
    with server.client() as client:
        answer = client.get("/", method="HEAD")
        assert answer.status == 200 and answer.header("Content-Length") == "14"
        assert client.get("/").body == b"Hello, world!\n"


def test_request_timeout_answers_504_and_goes_on(start, gate):
    server = start("--request-timeout", "0.3", probe())
    server.allow("request_timeout")
    with server.client() as client:
        client.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        assert client.response().status == 504
        assert client.get("/pid").status == 200
    assert len(server.workers()) == 1


def test_exception_is_answered_500_and_logged(start):
    server = start(probe())
    server.allow("the application threw")
    with server.client() as client:
        answer = client.get("/throw")
        assert answer.status == 500
        assert "thrown by the probe" not in answer.text
        assert client.get("/pid").status == 200
    server.wait_log(r"\[ERROR\] GET /throw: the application threw: thrown by the probe")


@pytest.mark.parametrize("query", ["name=X-A&value=a%0d%0aX-B:%20b", "name=X%20A&value=1"])
def test_header_that_cannot_be_sent(start, query):
    server = start(probe())
    server.allow("header")
    answer = server.get(f"/header?{query}")
    assert answer.status == 500
    assert answer.header("X-B") is None
    server.wait_log(r"\[ERROR\] .*header")


def test_file(start, tmp_path):
    page = tmp_path / "page.html"
    page.write_bytes(b"<p>" + b"x" * 3_000_000)
    server = start(probe())
    with server.client() as client:
        answer = client.get(f"/file?path={page}")
        assert answer.status == 200
        assert answer.header("Content-Type").startswith("text/html")
        assert answer.header("Last-Modified")
        assert answer.body == page.read_bytes()
        assert client.get(f"/file?path={tmp_path}/missing").status == 404


def test_stream_is_chunked_and_a_failure_is_seen(start):
    server = start(probe())
    server.allow("in the middle of a body")
    with server.client() as client:
        answer = client.get("/stream?count=3&size=10")
        assert answer.header("Transfer-Encoding") == "chunked"
        assert answer.body == b"x" * 30
        client.request("/stream?count=3&size=10&fails=1")
        with pytest.raises((Closed, ConnectionResetError)):
            client.response()
    server.wait_log("thrown in the middle of a body")


def test_refusal_page(start):
    server = start(HELLO)
    with server.client() as client:
        client.send("GET / HTTP/1.1\r\nHost: a\r\nBad Name: <x>\r\n\r\n")
        answer = client.response()
        assert answer.status == 400
        assert answer.header("Content-Type").startswith("text/html")
        assert answer.header("Connection") == "close"
        assert "<x>" not in answer.text
        assert client.closed_by_server()


def test_client_that_leaves_while_it_is_served(start, gate):
    server = start(probe())
    with server.client() as client:
        client.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
    gate.release()
    assert server.get("/pid").status == 200
