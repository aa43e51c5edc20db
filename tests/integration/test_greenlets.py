# SPDX-License-Identifier: MIT
"""WSGI under -k async: a greenlet per request on the worker's loop."""

import re
import sys
import threading
import time

import pytest

from harness.paths import ROOT
from harness.waiting import wait_until

pytest.importorskip("gevent")

APPS = ROOT / "tests" / "integration" / "python_apps"


@pytest.fixture
def serve(start):
    def factory(*args, app="greenlet_probe", **more):
        return start(
            "-k", "async", "--python", sys.executable, "--pythonpath", APPS, *args, app,
            env={"PYTHONDONTWRITEBYTECODE": "1"}, **more,
        )

    return factory


def together(server, targets):
    """Asks on as many connections at once; the answers and how long all took."""
    clients = [server.client() for _ in targets]
    begin = time.monotonic()
    for client, target in zip(clients, targets):
        client.request(target)
    answers = [client.response() for client in clients]
    took = time.monotonic() - begin
    for client in clients:
        client.close()
    return answers, took


def test_requests_that_sleep_do_so_together(serve):
    server = serve()
    answers, took = together(server, ["/sleep?0.3"] * 200)
    assert all(answer.status == 200 and answer.body == b"slept" for answer in answers)
    assert took < 15, "200 times 0.3 s one after the other would be 60 s"


def test_stuck_request_is_ended_and_the_others_live(serve):
    server = serve("--request-timeout", 1)
    server.allow("request_timeout")
    answers, _ = together(server, ["/stuck"] + ["/sleep?0.05"] * 100)
    assert answers[0].status == 504
    assert [answer.status for answer in answers[1:]] == [200] * 100
    log = server.log()
    assert "request_timeout: GET /stuck cancelled after 1.0 s; it was here:" in log
    assert "in stuck\n    time.sleep(0.1)" in log
    assert len(server.workers()) == 1


def test_application_that_catches_its_end(serve):
    """It is told, its answer is lost, and the connection serves the next request."""
    server = serve("--request-timeout", 0.3)
    server.allow("request_timeout")
    with server.client() as client:
        assert client.get("/stubborn").status == 504
    with server.client() as client:
        wait_until(
            lambda: client.get("/seen").text == "RequestCancelled ConnectionError",
            "the application was told that its request is over",
        )


@pytest.mark.parametrize("target", ["/locals_clean", "/locals_clean?wait"])
def test_state_of_a_request_ends_with_it(serve, target):
    server = serve()
    with server.client() as client:
        for _ in range(3):
            assert client.get(target).text == "clean clean clean"
    for _ in range(5):
        answers, _ = together(server, [target] * 40)
        assert {answer.text for answer in answers} == {"clean clean clean"}


@pytest.mark.parametrize(
    "what", ["keep", "know", "mark", "except", "keep_attributes", "parent", "loop"]
)
def test_request_finds_no_trace_of_another(serve, what):
    server = serve()
    server.allow("on purpose|Error handling|Traceback|traces_clean")
    untouched = "new new new new new new"
    with server.client() as client:
        for _ in range(3):
            client.get(f"/traces_clean?{what}")
            assert client.get("/traces_clean").text == untouched
    for _ in range(5):
        answers, _ = together(server, [f"/traces_clean?{what}", "/traces_clean", "/context_clean"] * 20)
        found = {answer.text for answer in answers if answer.status == 200}
        assert found == {untouched, "clean"}


def test_timeout_of_a_request_hits_no_other(serve):
    server = serve()
    server.allow("Traceback")
    with server.client() as client:
        for _ in range(3):
            assert client.get("/timeout_left").text == "left"
            assert client.get("/sleep?0.1").text == "slept"


def test_requests_that_wait_among_those_that_do_not(serve):
    """On the same greenlets one after another, and each one gets its own answer."""
    server = serve()
    targets = ["/sleep?0.02", "/multithread", "/context_clean", "/written", "/locals_clean"] * 40
    wanted = ["slept", "True", "clean", "piece 0\npiece 1\npiece 2\nend\n", "clean clean clean"] * 40
    for _ in range(3):
        answers, _ = together(server, targets)
        assert [answer.text for answer in answers] == wanted


def test_pipelined_requests_that_never_wait(serve):
    server = serve()
    with server.client() as client:
        client.send("GET /context_clean HTTP/1.1\r\nHost: a\r\n\r\n" * 200)
        assert [client.response().text for _ in range(200)] == ["clean"] * 200


def test_background_greenlets_live_on(serve):
    server = serve()
    with server.client() as client:
        assert client.get("/spawn").text == "spawned"
        wait_until(
            lambda: client.get("/what_spawned").text == "lived on", "the greenlet has run to its end"
        )


def test_body_is_streamed_in_both_directions(serve):
    """A piece is answered before the next one is sent."""
    server = serve()
    with server.client() as client:
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert client.head().status == 200
        deadline = time.monotonic() + 10
        assert client._exactly(10, deadline) == b"5\r\nfirst\r\n"
        client.send("6\r\nsecond\r\n0\r\n\r\n")
        assert client._exactly(16, deadline) == b"6\r\nsecond\r\n0\r\n\r\n"
        big = b"x" * 1_000_000
        assert client.get("/echo", method="POST", body=big).body == big
    # A response that begins while much of the body is unread announces the end of the connection.
    with server.client() as client:
        assert client.get("/lines", method="POST", body=b"one\ntwo\nthree" * 9000).body == (
            b"ONE\nTWO\nTHREE" * 9000
        )


def test_write_sends_at_once(serve):
    server = serve()
    with server.client() as client:
        assert client.get("/written").body == b"piece 0\npiece 1\npiece 2\nend\n"


def test_who_takes_an_answer_as_fast_as_it_comes_leaves_others_their_turn(serve):
    server = serve()
    end = b"0\r\n\r\n"

    def take_all(sock):
        last = b""
        while not last.endswith(end) and (piece := sock.recv(1 << 20)):
            last = last[-len(end) :] + piece

    with server.client() as client:
        client.request("/flood")
        assert client.head().status == 200
        taker = threading.Thread(target=take_all, args=(client.sock,))
        taker.start()
        assert server.get("/dam").text == "dammed"
        taker.join(10)
        assert not taker.is_alive()


def test_read_left_by_a_timeout_loses_nothing(serve):
    server = serve()
    with server.client() as client:
        client.send("POST /timeout_inside HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        time_to_be_late = time.monotonic() + 0.2
        wait_until(lambda: time.monotonic() > time_to_be_late, "its timeout has passed")
        client.send("3\r\ntwo\r\n0\r\n\r\n")
        assert client.response().text == "one,late,two,"


def test_read_of_all_left_by_a_timeout_loses_nothing(serve):
    server = serve()
    with server.client() as client:
        rest = b"abc" + b"z" * 100_000
        client.send(
            f"POST /late_for_all HTTP/1.1\r\nHost: a\r\nContent-Length: {14 + len(rest)}\r\n\r\n"
            "line\n123456789"
        )
        assert client.head().status == 200
        deadline = time.monotonic() + 10
        assert b"late|" in client._until(b"line\n|12345|\r\n", deadline)
        client.send(rest)
        assert client._chunks(deadline) == b"6789abc|" + rest[3:]


@pytest.mark.parametrize("ways", ["a", "losia", "slslsia", "iiia", "ola"])
@pytest.mark.parametrize("chunked", [False, True])
def test_body_read_in_several_ways(serve, chunked, ways):
    server = serve()
    lines = b"".join(b"%d\n" % number for number in range(500_000))
    target = f"/read_in_parts?{ways}"
    with server.client() as client:
        if not chunked:
            assert client.get(target, method="POST", body=lines).body == lines
            return
        client.send(f"POST {target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for begin in range(0, len(lines), 99_991):
            piece = lines[begin : begin + 99_991]
            client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        client.send("0\r\n\r\n")
        assert client.response().body == lines


def test_client_that_goes_away_in_the_middle(serve):
    server = serve()
    client = server.client()
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
    assert client.head().status == 200
    client.reset()
    with server.client() as other:
        assert other.get("/multithread").text == "True"


def test_unfinished_requests_do_not_hold_the_end_up(serve):
    server = serve("--graceful-timeout", 1)
    server.allow(".")
    with server.client() as client:
        client.request("/stuck")
        with server.client() as other:
            assert other.get("/multithread").status == 200
        assert server.stop() == 0
        assert client.response().status == 503


def test_request_that_holds_the_loop_is_named(serve):
    server = serve("--blocked-loop-warning", 0.2)
    server.allow("blocked_loop_warning")
    with server.client() as client:
        assert client.get("/compute").text == "computed"
        assert client.get("/multithread").status == 200
    log = server.log()
    warning = r"blocked_loop_warning: the event loop did not come round for [\d.]+ s \(limit 0\.2 s\)"
    assert len(re.findall(warning, log)) == 1
    assert "in compute\n    while time.monotonic() < end:" in log or "in compute\n    pass" in log


def test_gevent_missing_is_said(start, tmp_path):
    (tmp_path / "gevent.py").write_text("raise ModuleNotFoundError('no gevent', name='gevent')\n")
    server = start(
        "-k", "async", "--python", sys.executable, "--pythonpath", tmp_path, "--pythonpath", APPS,
        "wsgi_probe", ready=False,
    )
    server.allow(".")
    assert server.wait_exit() == 3
    assert "needs the package gevent" in server.log()
