# SPDX-License-Identifier: MIT
"""Tracers, profilers and debuggers in the threads of --threads."""

import json
import socket
import sys
import threading
import time

import pytest

from harness.addresses import free_port
from harness.paths import ROOT
from harness.waiting import LONG

APPS = ROOT / "tests" / "integration" / "python_apps"
PROBE = APPS / "trace_probe.py"


@pytest.fixture
def serve(start):
    def factory(*args, app="trace_probe", threads=2):
        return start(
            "-k", "gthread", "--threads", threads, "--python", sys.executable, "--pythonpath", APPS, *args, app,
            env={"PYTHONDONTWRITEBYTECODE": "1"},
        )

    return factory


EXPECTED = {
    "/settrace": "call line line line return",
    "/setprofile": "call return",
    "/cprofile": "True",
    "/own_thread": "[True]",
    "/left_on": "left on",
}


@pytest.mark.parametrize("target", EXPECTED)
def test_behind_other_requests(serve, target):
    server = serve()
    with server.client() as client:
        for _ in range(4):
            assert client.get("/quick").text == "quick"
        for _ in range(4):
            assert client.get(target).text == EXPECTED[target]


@pytest.mark.parametrize("target", EXPECTED)
def test_behind_a_request_that_was_ended(serve, target):
    """Its code has not been told yet, since it waits in C."""
    server = serve("--request-timeout", 0.3, threads=4)
    server.allow("request_timeout")
    with server.client() as client:
        assert [client.get("/asleep").status for _ in range(2)] == [504, 504]
        for _ in range(4):
            assert client.get(target).text == EXPECTED[target]


def test_what_comes_too_late_meets_nobody(serve):
    server = serve("--request-timeout", 0.1, threads=1)
    server.allow("request_timeout")
    late = 0
    for _ in range(50):
        with server.client() as client, server.client() as other:
            client.request("/ends_late")
            assert client.head().status == 200
            # On a quick machine it may be through before its time has passed.
            late += not client.rest().endswith(b"0\r\n\r\n")
            assert other.get("/steps").text == "not disturbed"
        if late == 5:
            break
    assert late == 5


def test_coverage(serve):
    pytest.importorskip("coverage")
    server = serve(app="trace_probe:covered()")
    with server.client() as client:
        for _ in range(3):
            assert client.get("/quick").text == "quick"
        assert client.get("/cprofile").text == "True"
        assert client.get("/own_thread").text == "[True]"
        assert client.get("/report").text == "[]"


class Debugger:
    """As much of the Debug Adapter Protocol as an editor needs to stop at a line."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), LONG)
        self.unread = b""
        self.number = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, command, **arguments):
        self.number += 1
        text = json.dumps(
            {"seq": self.number, "type": "request", "command": command, "arguments": arguments}
        ).encode()
        self.sock.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(text), text))

    def receive(self):
        while b"\r\n\r\n" not in self.unread:
            self.fill()
        head, _, rest = self.unread.partition(b"\r\n\r\n")
        size = int(head.split(b"Content-Length:")[1].split(b"\r\n")[0])
        self.unread = rest
        while len(self.unread) < size:
            self.fill()
        text, self.unread = self.unread[:size], self.unread[size:]
        return json.loads(text)

    def fill(self):
        piece = self.sock.recv(65536)
        assert piece, "the debugger's connection was closed"
        self.unread += piece

    def wait_for(self, kind, name):
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline:
            message = self.receive()
            if message["type"] == kind and name in (message.get("event"), message.get("command")):
                return message.get("body", {})
        raise AssertionError(f"no {kind} {name}")


def test_debugpy(serve):
    pytest.importorskip("debugpy")
    port = free_port()
    server = serve(app=f"trace_probe:debugged({port})")
    line = next(
        number for number, text in enumerate(PROBE.read_text().splitlines(), 1) if "know this line" in text
    )
    assert server.get("/quick").text == "quick"
    with Debugger(port) as debugger:
        debugger.send("initialize", adapterID="test", pathFormat="path", linesStartAt1=True)
        debugger.wait_for("response", "initialize")
        debugger.send("attach", justMyCode=False)
        debugger.wait_for("event", "initialized")
        debugger.send("setBreakpoints", source={"path": str(PROBE)}, breakpoints=[{"line": line}])
        debugger.wait_for("response", "setBreakpoints")
        debugger.send("configurationDone")
        debugger.wait_for("response", "configurationDone")
        for _ in range(3):
            answers = []
            asking = threading.Thread(target=lambda: answers.append(server.get("/worked").text))
            asking.start()
            for _ in range(2):
                stopped = debugger.wait_for("event", "stopped")
                assert stopped["reason"] == "breakpoint"
                debugger.send("continue", threadId=stopped["threadId"])
            asking.join(LONG)
            assert answers == ["worked"]
        debugger.send("disconnect", terminateDebuggee=False)
        debugger.wait_for("response", "disconnect")
