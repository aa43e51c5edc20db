# SPDX-License-Identifier: MIT
"""What a native request started ends with it."""

import time

import pytest

from harness.paths import probe
from harness.waiting import wait_until

HEAD = "POST {} HTTP/1.1\r\nHost: test.example\r\nContent-Length: 10\r\n\r\n"


def notes(server) -> list[str]:
    return server.get("/notes").text.splitlines()


def test_a_read_beside_the_handler(start, gate):
    server = start(probe())
    with server.client() as client:
        client.send(HEAD.format(f"/beside?name=it&gate={gate.path}") + "01234")
        gate.wait_entered()
        client.send("56789")
        wait_until(lambda: notes(server) == ["it read 10"], "the body is read beside the handler")
        gate.release()
        assert client.response().text == "early"
        # The connection goes on.
        assert client.get("/pid").status == 200


@pytest.mark.parametrize("fails", [False, True])
def test_a_read_that_is_left_behind(start, fails):
    server = start(probe())
    server.allow("thrown beside a reader")
    with server.client() as client:
        for i in range(5):
            more = "&throw=1" if fails else ""
            client.send(HEAD.format(f"/beside?name={i}{more}") + "01234")
            answer = client.response()
            assert answer.status == (500 if fails else 200)
            assert notes(server)[i] == f"{i} of /beside: the server stopped the operation"
            # It took nothing: what follows is skipped, and the next request is whole.
            client.send("56789")


def test_the_client_goes_while_one_reads_beside(start, gate):
    server = start(probe())
    with server.client() as client:
        client.send(HEAD.format(f"/beside?name=it&gate={gate.path}") + "01234")
        gate.wait_entered()
        client.reset()
    wait_until(lambda: notes(server), "the reader has ended")
    assert notes(server)[0].startswith("it of /beside: ")
    gate.release()


def test_request_timeout_ends_it_too(start, gate):
    server = start(probe(), config={"request_timeout": 0.2})
    with server.client() as client:
        client.send(HEAD.format(f"/beside?name=it&gate={gate.path}") + "01234")
        assert client.response().status == 504
    assert notes(server) == ["it of /beside: the server stopped the operation"]


def test_progress_while_a_body_is_read(start):
    server = start(probe())
    with server.client() as client:
        client.send("POST /progress HTTP/1.1\r\nHost: t\r\nContent-Length: 200000\r\n\r\n")
        client.send(b"x" * 100_000)
        head = client.head()
        assert head.status == 200
        client.send(b"x" * 100_000)
        assert set(client._chunks(time.monotonic() + client.timeout)) == {ord(".")}
