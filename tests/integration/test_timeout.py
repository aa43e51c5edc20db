# SPDX-License-Identifier: MIT
"""Code that holds its worker: `timeout`, INT and graceful_timeout end it with its `finally`."""

import re
import signal
import sys

import pytest

from harness.paths import ROOT
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"


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
        server = start(
            "--python", sys.executable, "--pythonpath", APPS, *args, "end_probe",
            env={"PYTHONDONTWRITEBYTECODE": "1", "NOTES": str(notes.path)}, **more,
        )
        # The stack of all threads, and the traceback of the request.
        server.allow("WORKER TIMEOUT|In flight|exited with code 1|Error handling request|Traceback")
        return server

    return factory


def inside(server, notes, target):
    """A client whose request is in the application."""
    client = server.client()
    client.request(target)
    wait_until(lambda: "inside" in notes(), "it is inside")
    return client


def wait_access(path, expected):
    """Each request has its one line in the access log."""
    wait_until(
        lambda: re.findall(r'"GET /\w+ HTTP/1.1" (\d+)', path.read_text()) == expected, f"the statuses {expected}"
    )


def test_a_request_has_the_whole_timeout(serve):
    """Whenever the last sign of life before it was."""
    server = serve("-t", 2)
    with server.client() as client:
        # The first one ends with a sign of life; the next is due half a second later.
        for _ in range(2):
            assert client.silent(0.4)
            assert client.get("/asleep?seconds=1.75").text == "quick"


@pytest.mark.parametrize("target", ["/asleep", "/busy", "/locked"])
def test_timeout_unwinds(serve, notes, target, tmp_path):
    access = tmp_path / "access.log"
    server = serve("-t", 1, "--access-logfile", access)
    (first,) = server.workers()
    with server.client() as client:
        assert client.get("/quick").text == "quick"
        client.request(target)
        assert client.response().status == 504
    assert notes()[:3] == ["inside", "RequestCancelled SystemExit", "cleaned up"]
    server.wait_log(f"Worker \\(pid:{first}\\) exited with code 1")
    assert "atexit" in notes()
    assert re.search(f"Error handling request GET {target}\nTraceback(.*\n)*.*CallEnded", server.log())
    assert "Fatal Python error: Aborted" in server.log()
    wait_access(access, ["200", "504"])
    assert server.get("/quick").text == "quick"


def test_timeout_ends_a_stream(serve, notes):
    server = serve("-t", 1)
    with server.client() as client:
        client.request("/stream")
        assert client.head().status == 200
        assert not client.rest().endswith(b"0\r\n\r\n")
    assert notes()[:3] == ["inside", "RequestCancelled SystemExit", "cleaned up"]
    assert server.get("/quick").text == "quick"


def test_timeout_ends_a_write(serve, notes):
    server = serve("-t", 1)
    with inside(server, notes, "/writing") as client:
        wait_until(lambda: "cleaned up" in notes(), "it was told")
        assert notes()[:3] == ["inside", "RequestCancelled SystemExit", "cleaned up"]
        assert not client.rest().endswith(b"0\r\n\r\n")
    assert server.get("/quick").text == "quick"


@pytest.mark.parametrize("target", ["/stubborn", "/in_c"])
def test_timeout_kills_what_goes_on(serve, notes, target, tmp_path):
    access = tmp_path / "access.log"
    server = serve("-t", 1, "--access-logfile", access)
    (first,) = server.workers()
    with server.client() as client:
        client.request(target)
        assert client.rest() == b""
    server.wait_log(f"Worker \\(pid:{first}\\) was sent SIGKILL")
    assert "Fatal Python error: Aborted" in server.log()
    assert server.get("/quick").text == "quick"
    wait_access(access, ["502", "200"])


def test_timeout_with_other_requests_in_the_worker(serve, notes):
    """None is cut: what it has accepted is refused, what it has not is left to the next worker."""
    server = serve("-t", 1)
    with inside(server, notes, "/asleep") as client:
        waiting = [server.client() for _ in range(3)]
        for each in waiting:
            each.request("/quick")
        assert client.response().status == 504
        for each in waiting:
            assert each.response().status in (200, 503)
            each.close()


@pytest.mark.parametrize("target", ["/asleep", "/busy", "/stubborn"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_stop_unwinds(serve, notes, how, target):
    server = serve("--graceful-timeout", 0.5)
    with inside(server, notes, target) as client:
        server.send(how)
        assert server.wait_exit() == 0
        if target == "/stubborn":
            assert notes() == ["inside", "RequestCancelled SystemExit", "cleaned up", "inside"]
            assert "SIGKILL" in server.log()
            return
        assert client.response().status == 503
    assert notes() == ["inside", "RequestCancelled SystemExit", "cleaned up", "atexit"]
    assert "SIGKILL" not in server.log()
    assert "Traceback" not in server.log()


def test_a_graceful_stop_gives_the_time_there_is(serve, notes):
    server = serve("--graceful-timeout", 20)
    with inside(server, notes, "/asleep?seconds=1") as client:
        server.send(signal.SIGTERM)
        server.send(signal.SIGTERM)
        assert client.response().text == "quick"
        assert server.wait_exit() == 0
    assert notes() == ["inside", "cleaned up", "atexit"]


def test_reload_unwinds(serve, notes):
    server = serve("--graceful-timeout", 0.5)
    (old,) = server.workers()
    with inside(server, notes, "/asleep") as client:
        server.send(signal.SIGHUP)
        assert client.response().status == 503
    wait_until(lambda: old not in server.workers(), "the old worker has ended")
    assert notes()[:3] == ["inside", "RequestCancelled SystemExit", "cleaned up"]
    assert server.get("/quick").text == "quick"


def test_greenlet_that_holds_up_the_others(serve, notes):
    """It alone is told; they are answered, and their greenlets are told as at any other end."""
    pytest.importorskip("gevent")
    server = serve("-k", "async", "-t", 1)
    (first,) = server.workers()
    with server.client() as other, server.client() as client:
        other.request("/cooperative")
        wait_until(lambda: "inside" in notes(), "it is inside")
        client.request("/spinning_beside")
        assert client.response().status == 500
        assert other.response().status == 503
    server.wait_log(f"Worker \\(pid:{first}\\) exited with code 1")
    assert notes() == ["inside", "inside", *["RequestCancelled", "cleaned up"] * 2, "atexit"]
    assert server.get("/quick").text == "quick"
