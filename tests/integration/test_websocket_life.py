# SPDX-License-Identifier: MIT
"""WebSockets over time: pings, limits, slow and vanished clients, workers that end, many at once."""

import contextlib
import re
import signal
import socket
import threading

import pytest
from websockets.exceptions import ConnectionClosed

from harness import processes
from harness.frames import BINARY, CLOSE, PING, PONG, TEXT, RawSocket, close_frame, frame
from harness.paths import TALK
from harness.talk import LIMIT, ending, opened
from harness.waiting import wait_until


def test_pings(start):
    server = start(TALK, config={"ws_ping_interval": 0.1, "ws_ping_timeout": 0.4})
    with RawSocket(server.address, "/echo?name=alive") as ws:
        # Answered, a WebSocket lives on; six pings are longer than the limit.
        for _ in range(6):
            opcode, payload = ws.frame()
            assert opcode == PING
            ws.send(frame(PONG, payload))
        ws.send(close_frame(1000))
        assert ws.close_code() == 1000
    assert ending(server, "alive") == "1000 "
    with RawSocket(server.address, "/echo?name=dead") as ws:
        assert ws.frame()[0] == PING
        assert ws.close_code() == 1011
    assert ending(server, "dead") == "1006 "
    server.wait_log("ws_ping_timeout: /echo")
    with opened(server, ping_interval=0.05) as ws:
        assert ws.ping().wait(LIMIT)


def test_no_pings(start):
    server = start(TALK, config={"ws_ping_interval": 0})
    with RawSocket(server.address, "/echo") as ws:
        assert ws.client.silent(0.3)


def test_one_who_does_not_receive_stops_the_client(start, gate):
    server = start(TALK, config={"ws_ping_interval": 0.05, "ws_ping_timeout": 0.05})
    with RawSocket(server.address, f"/deaf?name=it&gate={gate.path}") as ws:
        gate.wait_entered()
        message = frame(BINARY, b"m" * 50000)
        ws.client.sock.settimeout(0.5)
        sent = 0
        with pytest.raises(socket.timeout):
            for sent in range(1000):
                ws.send(message)
        assert 1 <= sent < 999
        gate.release()
        # What was cut by the time-out is unknown: the connection goes.
        ws.client.reset()
    assert ending(server, "it") == "1006 "


def test_a_client_that_takes_nothing(start):
    server = start(TALK, config={"send_timeout": 0.3, "ws_ping_interval": 0})
    with RawSocket(server.address, "/flood?count=1000"):
        server.wait_log("send_timeout: /flood")


def test_request_timeout_does_not_count(start):
    server = start(TALK, config={"request_timeout": 0.2, "keepalive": 0.1, "header_timeout": 0.2})
    with RawSocket(server.address, "/echo") as ws:
        assert ws.client.silent(0.6)
        ws.send(frame(TEXT, b"still"))
        assert ws.frame() == (TEXT, b"still")


def test_worker_ends(start):
    server = start("--graceful-timeout", "10", TALK)
    with opened(server, "/echo") as ws, RawSocket(server.address, "/echo") as raw:
        ws.send("hi")
        assert ws.recv(LIMIT) == "hi"
        server.send(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(LIMIT)
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1012, "service restart")
        assert raw.frame() == (CLOSE, b"\x03\xf4service restart")
        assert server.child.running
        raw.send(close_frame(1012))
        assert server.wait_exit() == 0


def test_worker_does_not_wait_for_ever(start):
    server = start("--graceful-timeout", "0.3", TALK)
    with RawSocket(server.address, "/echo"):
        server.send(signal.SIGTERM)
        assert server.wait_exit() == 0


def test_quick_shutdown(start):
    server = start(TALK)
    with RawSocket(server.address, "/echo"), RawSocket(server.address, "/flood?count=1000"):
        server.send(signal.SIGINT)
        assert server.wait_exit() == 0


def test_reload_closes_with_1012(start):
    server = start(TALK)
    with opened(server) as ws:
        server.send(signal.SIGHUP)
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(LIMIT)
        assert closed.value.rcvd.code == 1012
    wait_until(lambda: server.get("/").status == 200, "the new worker serves")
    server.wait_workers(1)


@pytest.mark.needs_plain_build("measures memory; freed blocks stay in quarantine")
def test_many_at_once_leave_nothing(start):
    server = start("--worker-connections", "600", TALK)
    worker = server.workers()[0]
    before = processes.fd_count(worker)

    def once() -> int:
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(RawSocket(server.address, "/echo")) for _ in range(500)]
            for i, ws in enumerate(sockets):
                ws.send(frame(TEXT, b"%d" % i))
            for i, ws in enumerate(sockets):
                assert ws.frame() == (TEXT, b"%d" % i)
            assert server.get("/").text == "plain\n"
            assert processes.fd_count(worker) >= before + 500
            for ws in sockets[:250]:
                ws.send(close_frame(1000))
                assert ws.close_code() == 1000
        wait_until(lambda: processes.fd_count(worker) <= before, "the descriptors are closed")
        status = open(f"/proc/{worker}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])

    sizes = [once() for _ in range(8)]
    # How many are at work at once, and so how far the heap grows at first, is chance.
    assert min(sizes[5:]) - max(sizes[1:5]) < 1024, sizes


def test_both_directions_at_once(start):
    server = start(TALK)
    count = 300
    with opened(server, compression=None) as ws:
        sender = threading.Thread(target=lambda: [ws.send(b"%d" % i + b"z" * 20000) for i in range(count)])
        sender.start()
        for i in range(count):
            assert ws.recv(LIMIT) == b"%d" % i + b"z" * 20000
        sender.join()
