# SPDX-License-Identifier: MIT
"""The end of a request, and of the worker, with threads in the application."""

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
    def factory(*args, threads=4, **more):
        return start(
            "--threads", threads, "--python", sys.executable, "--pythonpath", APPS, *args,
            "thread_end_probe", env={"PYTHONDONTWRITEBYTECODE": "1", "NOTES": str(notes.path)}, **more,
        )

    return factory


def enter(server, notes, target, count):
    """So many requests that are in the application."""
    clients = [server.client() for _ in range(count)]
    for client in clients:
        client.request(target)
    wait_until(lambda: notes().count("inside") >= count, "all are inside")
    return clients


def end(server, how):
    """TERM whose graceful_timeout passes, or INT; the worker must not need SIGKILL."""
    server.send(how)
    code = server.wait_exit()
    assert "SIGKILL" not in server.log()
    assert "Traceback" not in server.log()
    return code


HOW = pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])


@HOW
def test_threads_in_c_are_left_behind(serve, notes, how):
    server = serve("--graceful-timeout", 0.3)
    clients = enter(server, notes, "/asleep", 4)
    assert end(server, how) == 0
    assert [client.response().status for client in clients] == [503] * 4
    assert notes()[-1] == "atexit"
    assert "threads are still in the application" in server.log()


@HOW
def test_busy_threads_clean_up(serve, notes, how):
    server = serve("--graceful-timeout", 0.3, threads=16)
    clients = enter(server, notes, "/busy", 16)
    assert end(server, how) == 0
    assert [client.response().status for client in clients] == [503] * 16
    assert notes().count("RequestCancelled") == 16
    assert notes().count("cleaned up") == 16
    assert notes()[-1] == "atexit"


@HOW
def test_threads_that_wait_for_their_client_clean_up(serve, notes, how):
    server = serve("--graceful-timeout", 0.3, limits={"fsize": "2000000"})
    enter(server, notes, "/streaming", 4)
    assert end(server, how) == 0
    assert notes().count("cleaned up") == 4
    assert notes()[-1] == "atexit"


@HOW
def test_threads_that_do_not_listen_are_left_behind(serve, notes, how):
    server = serve("--graceful-timeout", 0.3)
    clients = enter(server, notes, "/stubborn", 4)
    assert end(server, how) == 0
    assert [client.response().status for client in clients] == [503] * 4
    assert notes().count("RequestCancelled") == 4
    assert "atexit" in notes()


def test_reload_with_threads_in_c(serve, notes):
    server = serve("--graceful-timeout", 0.3)
    enter(server, notes, "/asleep", 4)
    (old,) = server.workers()
    server.send(signal.SIGHUP)
    wait_until(lambda: len(now := server.workers()) == 1 and old not in now, "the old worker is gone")
    assert "SIGKILL" not in server.log()
    assert notes()[-1] == "atexit"
    assert server.get("/quick").text == "quick"


def test_own_thread_is_in_write_as_the_request_ends(serve, notes):
    server = serve(limits={"fsize": "2000000"})
    for count in range(1, 4):
        client = server.client()
        client.request("/written_beside")
        client.head()
        message = "ConnectionError: the request is over"
        wait_until(lambda: notes().count("left") == notes().count(message) == count, "it was told")
        assert client.rest().endswith(b"\r\n0\r\n\r\n") if count == 1 else client.reset() is None
    ended = repr([False] * 3)
    wait_until(lambda: server.get("/own_threads_ended").text == ended, "the threads have ended")


def test_own_thread_is_in_write_as_the_client_leaves(serve, notes):
    server = serve(limits={"fsize": "2000000"})
    client = server.client()
    client.request("/written_beside")
    client.head()
    client.reset()
    wait_until(lambda: "ConnectionError: the client has gone" in "\n".join(notes()), "it was told")
    wait_until(lambda: server.get("/own_threads_ended").text == "[False]", "the thread has ended")


@HOW
def test_own_threads_are_in_write_as_the_worker_ends(serve, notes, how):
    server = serve("--graceful-timeout", 0.3, limits={"fsize": "2000000"})
    enter(server, notes, "/crowd", 1)
    server.send(how)
    assert server.wait_exit() == 0
    assert "was sent" not in server.log()
    assert notes()[-1] == "atexit"
