# SPDX-License-Identifier: MIT
"""The end of the server and of its workers: shutdown_delay, who waits in the backlog, WebSockets and streams of
events, signals that hurry."""

import re
import signal
import sys
import time
import zlib
from pathlib import Path

import pytest

from harness import processes
from harness.client import Client
from harness.frames import CLOSE, TEXT, RawSocket, close_frame, frame
from harness.paths import HELLO, TALK
from harness.waiting import LONG, wait_until

APPS = Path(__file__).parent / "python_apps"
PYTHON = ("--pythonpath", APPS, "--python", sys.executable)
WSGI = (*PYTHON, "stop_probe:wsgi")
ASGI = (*PYTHON, "stop_probe:asgi")


def test_shutdown_delay_serves_on_and_tells_the_application(start):
    server = start("-w", "2", "--shutdown-delay", "2", "-k", "gthread", "--threads", "2", *WSGI)
    with server.client() as kept:
        assert kept.get("/ready").text == "ready"
        began = time.monotonic()
        server.send(signal.SIGTERM)
        server.notices.wait_for("STOPPING=1")
        server.wait_log("shutdown_delay: serving for another 2 s")
        answer = kept.get("/ready")
        assert (answer.status, answer.text) == (503, "stopping")
        # Whoever goes on asking is not sent away before the drain.
        assert answer.header("Connection") != "close"
        assert server.get("/").text == "hello"
        assert kept.get("/").text == "hello"
    assert server.wait_exit() == 0
    assert time.monotonic() - began >= 2


@pytest.mark.parametrize("preload", [[], ["--preload"]])
def test_a_worker_that_dies_in_the_delay_is_replaced(start, preload):
    server = start("--shutdown-delay", "5", *preload, *WSGI)
    (worker,) = server.workers()
    server.send(signal.SIGTERM)
    server.notices.wait_for("STOPPING=1")
    server.allow("SIGKILL|In flight")
    processes.kill(worker, signal.SIGKILL)
    wait_until(lambda: worker not in server.workers() and server.workers(), "another worker")
    assert server.get("/ready").text == "stopping"
    server.send(signal.SIGINT)
    assert server.wait_exit() == 0


def test_signals_that_hurry(start, tmp_path):
    server = start("--shutdown-delay", "60", "--graceful-timeout", "60", "-k", "gthread", "--threads", "2", *WSGI)
    client = server.client()
    client.request(f"/wait?{tmp_path}/never")
    wait_until(lambda: server.get("/").text == "hello", "the request before it runs")

    def again():
        # What comes within a second is the same signal once more.
        began = time.monotonic()
        wait_until(lambda: time.monotonic() > began + 1.1, "the second in which signals are one")
        server.send(signal.SIGTERM)

    server.send(signal.SIGTERM)
    server.send(signal.SIGTERM)
    server.wait_log("shutdown_delay: serving for another 60 s")
    again()
    server.wait_log("Signalled again: shutdown_delay is cut short")
    assert server.child.running
    again()
    server.wait_log("Signalled again: ending the workers without waiting")
    server.allow(".")
    assert server.wait_exit() == 0
    client.close()


@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"]])
def test_hundreds_in_the_backlog_are_served(start, tmp_path, worker):
    """More than the worker has room for at once, none of them accepted when the signal comes."""
    server = start("--worker-connections", "60", "--keep-alive", "2", *worker, *WSGI)
    gate = tmp_path / "gate"
    holders = [server.client() for _ in range(1 if worker[1] == "sync" else 60)]
    for client in holders:
        client.request(f"/wait?{gate}")
    clients = [Client(server.address, source=f"127.0.0.{2 + index % 8}") for index in range(400)]
    for client in clients:
        client.request("/")
    server.send(signal.SIGTERM)
    server.wait_log("Handling signal: term")
    gate.touch()
    for client in holders:
        assert client.response().text == "waited"
        client.close()
    for index, client in enumerate(clients):
        assert client.response().text == "hello", index
        client.close()
    assert server.wait_exit() == 0


def test_who_comes_during_the_drain_is_served_at_its_end(start, tmp_path):
    server = start("-k", "async", *WSGI)
    gate = tmp_path / "gate"
    with server.client() as slow:
        slow.request(f"/wait?{gate}")
        wait_until(lambda: server.get("/").text == "hello", "the request before it runs")
        server.send(signal.SIGTERM)
        server.wait_log("Handling signal: term")
        late = [server.client() for _ in range(20)]
        for client in late:
            client.request("/")
        gate.touch()
        assert slow.response().text == "waited"
        for client in late:
            assert client.response().text == "hello"
            client.close()
    assert server.wait_exit() == 0


@pytest.mark.parametrize("worker", [["-k", "sync"], ["--threads", "2"]])
def test_who_says_nothing_does_not_hold_up_a_stop(start, tmp_path, worker):
    """Longer than any idle connection would: as sync finds it, accepted by the drain itself."""
    server = start("--keep-alive", "1", "--header-timeout", "30", *worker, *WSGI)
    gate = tmp_path / "gate"
    with server.client() as slow, server.client() as silent:
        slow.request(f"/wait?{gate}")
        server.send(signal.SIGTERM)
        server.wait_log("Handling signal: term")
        with server.client() as late:
            began = time.monotonic()
            gate.touch()
            assert slow.response().text == "waited"
            assert silent.closed_by_server()
            assert late.closed_by_server()
    assert server.wait_exit() == 0
    assert time.monotonic() < began + 8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_websockets_are_closed_over_a_while(start, number):
    server = start("--drain-spread", "1.5", "--graceful-timeout", "20", TALK)
    count = 16
    sockets = [RawSocket(server.address, "/echo").__enter__() for _ in range(count)]
    began = time.monotonic()
    server.send(number)
    closed = []
    waiting = dict(enumerate(sockets))
    while waiting:
        assert time.monotonic() < began + LONG
        for index, each in list(waiting.items()):
            if each.client.silent(0.005):
                continue
            opcode, payload = each.frame()
            assert (opcode, payload[:2]) == (CLOSE, b"\x03\xf4")
            closed.append(time.monotonic() - began)
            each.send(close_frame(1012))
            del waiting[index]
    for each in sockets:
        each.client.close()
    closed.sort()
    assert closed[-1] > 1.0
    # No more than a few in any tenth of the time.
    for index in range(count - 5):
        assert closed[index + 5] - closed[index] > 0.15, closed
    if number == signal.SIGTERM:
        assert server.wait_exit() == 0
    else:
        server.wait_log("Reload complete")
        server.wait_workers(1)


def test_websockets_on_their_way_out_still_talk(start):
    server = start("--drain-spread", "2", "--graceful-timeout", "20", TALK)
    sockets = [RawSocket(server.address, "/echo").__enter__() for _ in range(8)]
    server.send(signal.SIGTERM)
    assert sockets[0].frame()[0] == CLOSE
    sockets[0].send(close_frame(1012))
    for each in sockets[1:]:
        each.send(frame(TEXT, b"hi"))
    answers = 0
    for each in sockets[1:]:
        opcode, payload = each.frame()
        if opcode != CLOSE:
            assert payload == b"hi"
            answers += 1
            assert each.frame()[0] == CLOSE
        each.send(close_frame(1012))
        each.client.close()
    assert answers >= 4
    assert server.wait_exit() == 0


def test_a_spread_beyond_graceful_timeout_is_refused(command):
    done = command("--check-config", "--drain-spread", "30", "--graceful-timeout", "30", HELLO)
    assert done.returncode != 0
    assert "--drain-spread" in done.stderr and "must be shorter than graceful_timeout" in done.stderr


def read_events(client) -> list[str]:
    """What a whole response of chunks holds, as events."""
    return client.response().body.decode().split("\n\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"], ["--threads", "3"]])
def test_wsgi_events_end_whole(start, tmp_path, worker, number):
    server = start("--graceful-timeout", "60", *worker, *WSGI)
    left = tmp_path / "left"
    with server.client() as client:
        client.request(f"/events?{left}")
        wait_until(lambda: client.sock.recv(400, 2), "the first bytes")  # MSG_PEEK
        server.send(number)
        events = read_events(client)
        assert events[0] == "data: 0"
        assert events[-1] == ""
        wait_until(left.exists, "the iterable is closed")
        if number == signal.SIGHUP:
            assert server.get("/").text == "hello"
            server.wait_log("Reload complete")
    if number == signal.SIGTERM:
        assert server.wait_exit() == 0
    else:
        server.wait_workers(1)


@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"], ["--threads", "3"]])
def test_events_that_are_compressed_are_not_cut(start, worker):
    server = start("--graceful-timeout", "60", *worker, *WSGI)
    with server.client() as client:
        client.request("/packed")
        wait_until(lambda: client.sock.recv(400, 2), "the first bytes")
        server.send(signal.SIGTERM)
        unpacker = zlib.decompressobj(wbits=-15)
        assert unpacker.decompress(client.response().body).replace(b"\n", b"").count(b"data: x") >= 50
        assert unpacker.eof
    assert server.wait_exit() == 0


@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"]])
def test_asgi_events_are_told_and_may_say_good_bye(start, tmp_path, worker):
    server = start("--graceful-timeout", "60", *worker, *ASGI)
    left = tmp_path / "left"
    with server.client() as client, server.client() as other, server.client() as deaf:
        client.request("/told")
        other.request(f"/cut?{left}")
        deaf.request(f"/deaf?{left}")
        for each in (client, other, deaf):
            assert b"200 OK" in wait_until(lambda each=each: each.sock.recv(400, 2), "the first bytes")
        server.send(signal.SIGTERM)
        assert read_events(client) == [
            "data: first", *(f"event: bye\ndata: {word}" for word in ("one", "two", "three")), ""
        ]
        assert read_events(other) == ["data: first", ""]
        assert read_events(deaf)[-1] == ""
        # The connections go on, to their orderly end.
        deaf.request("/told")
        assert "data: first" in read_events(deaf)
        wait_until(lambda: left.exists() and len(left.read_text().split("\n")) > 2, "both have ended")
        assert sorted(left.read_text().split("\n")) == ["", "/cut True", "/deaf True"]
    assert server.wait_exit() == 0


def test_events_that_nobody_ends_end_with_graceful_timeout(start):
    server = start("--graceful-timeout", "0.5", *ASGI)
    with server.client() as client:
        client.request("/idle")
        wait_until(lambda: client.sock.recv(400, 2), "the first bytes")
        server.send(signal.SIGTERM)
        assert read_events(client) == ["data: first", ""]
        assert client.closed_by_server()
    server.wait_log("graceful_timeout: ending with 1 connections")
    assert server.wait_exit() == 0


@pytest.mark.parametrize("app", [WSGI, ASGI])
def test_a_response_that_has_an_end_is_not_told(start, tmp_path, app):
    server = start("-k", "async", *app)
    gate = tmp_path / "gate"
    with server.client() as client:
        client.request(f"/download?{gate}")
        wait_until(lambda: b"begin" in client.sock.recv(400, 2), "the first bytes")
        server.send(signal.SIGTERM)
        server.wait_log("Handling signal: term")
        if app is WSGI:
            gate.touch()
        body = client.response().text
        assert re.fullmatch(r"begin,(more,)+end", body)
    assert server.wait_exit() == 0
