# SPDX-License-Identifier: MIT
"""slow_request_log: requests that run for long, and where they are, under every worker class."""

import re
import sys
import time

import pytest

from harness.frames import handshake
from harness.paths import ROOT, probe
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
PYTHON = ("--python", sys.executable, "--pythonpath", APPS)

KINDS = {
    "sync": ("-k", "sync", "admission_probe:app"),
    "gthread": ("-k", "gthread", "--threads", 2, "admission_probe:app"),
    "async": ("-k", "async", "admission_probe:app"),
    "eventlet": ("-k", "eventlet", "admission_probe:app"),
    "asgi": ("-k", "sync", "--interface", "asgi", "admission_probe:asgi"),
    "asgi beside gevent": ("-k", "async", "--interface", "asgi", "admission_probe:asgi"),
}
NEEDED = {"async": "gevent", "eventlet": "eventlet", "asgi beside gevent": "gevent"}
FACTS = (
    r"\[WARNING\] slow_request_log: GET {path} {ran}, waited (\d+\.\d\d) s before; "
    r"CPU (\d+\.\d\d) s of (its thread|the loop, for all its requests) \(limit [01]\.\d0 s\){rest}"
)
RAN = r"ran for (\d+\.\d\d) s"


def line(path="/admitted", ran=RAN, rest=r"; (it is|the loop is held) here:\n((?:  .*\n)+)"):
    return FACTS.format(path=path, ran=ran, rest=rest)


def told(server):
    return server.log().count("slow_request_log: ")


@pytest.fixture
def serve(start):
    def factory(kind, *args, **settings):
        if kind in NEEDED:
            pytest.importorskip(NEEDED[kind], exc_type=ImportError)
        config = {"slow_request_log": 0.3, "blocked_loop_warning": 0, **settings}
        return start(*PYTHON, *KINDS[kind], *args, config=config, env={"PYTHONDONTWRITEBYTECODE": "1"})

    return factory


@pytest.mark.parametrize("kind", KINDS)
def test_it_tells_once_where_the_request_is(serve, tmp_path, kind):
    server = serve(kind)
    gate = tmp_path / "open"
    with server.client() as client:
        client.request(f"/admitted?until={gate}&password=secret")
        found = server.wait_log(line())
        gate.write_text("")
        assert client.response().status == 200
        # One that is fast, on the same connection.
        assert client.get("/admitted").status == 200
    ran, waited, _, whose, where, stack = found.groups()
    assert float(ran) + float(waited) >= 0.29
    assert where == ("the loop is held" if kind == "sync" else "it is")
    assert whose == ("its thread" if kind == "gthread" else "the loop, for all its requests")
    # A thread may be just between two of its sleeps.
    assert "admission_probe.py" in stack and re.search(r"sleep\(pause\)|wait_for_file", stack)
    assert told(server) == 1
    assert "secret" not in server.log()


@pytest.mark.parametrize("kind", ["sync", "gthread", "async", "asgi"])
def test_code_that_computes(serve, kind):
    server = serve(kind)
    assert server.get("/admitted?compute=1").status == 200
    found = server.wait_log(line())
    ran, _, cpu, _, _, stack = found.groups()
    assert 0 < float(cpu) <= float(ran) + 0.05
    assert "in compute" in stack
    assert told(server) == 1


def test_one_that_waits_for_a_thread(serve, tmp_path):
    server = serve("gthread", "--threads", 1)
    gate = tmp_path / "open"
    with server.client() as first, server.client() as second:
        first.request(f"/admitted?until={gate}")
        server.wait_log(line())
        second.request("/second")
        found = server.wait_log(line("/second", "has not begun to run", "\n"))
        gate.write_text("")
        assert [client.response().status for client in (first, second)] == [200, 200]
    assert float(found[1]) >= 0.29
    assert told(server) == 2


def test_time_in_the_queue_is_no_running_time(serve, tmp_path):
    server = serve("gthread", max_concurrent_requests=1)
    gate = tmp_path / "open"
    with server.client() as first, server.client() as second:
        first.request(f"/admitted?until={gate}")
        server.wait_log(line())
        second.request("/second?seconds=0.6")
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() > begun + 0.5, "the second one waits")
        assert told(server) == 1
        gate.write_text("")
        assert [client.response().status for client in (first, second)] == [200, 200]
    found = server.wait_log(line("/second"))
    assert float(found[2]) >= 0.4 and float(found[1]) < float(found[2]) + 0.6
    assert told(server) == 2


def test_who_holds_up_the_others_is_shown(serve, tmp_path):
    server = serve("asgi", slow_request_log=1)
    note, gate = tmp_path / "note", tmp_path / "open"
    with server.client() as waiting, server.client() as culprit:
        waiting.request(f"/waiting?note={note}&name=w&until={gate}")
        wait_until(note.exists, "the first one is inside")
        culprit.request("/admitted?compute=2")
        assert culprit.response().status == 200
        gate.write_text("")
        assert waiting.response().status == 200
    for path in ("/admitted", "/waiting"):
        assert "in compute" in server.wait_log(line(path))[6]


def test_native_code(start, tmp_path):
    server = start(probe(), config={"slow_request_log": 0.3, "blocked_loop_warning": 0})
    gate = tmp_path / "open"
    with server.client() as client:
        client.request(f"/admitted?until={gate}")
        # A coroutine that is suspended has no stack.
        server.wait_log(line(rest="\n"))
        gate.write_text("")
        assert client.response().status == 200
        assert client.get("/hold-the-loop?ms=1000").status == 200
    found = server.wait_log(line("/hold-the-loop"))
    assert found[5] == "the loop is held" and "hold_the_loop(unicoro::request&)" in found[6]
    assert told(server) == 2


def test_both_watches_share_what_they_see(start):
    server = start(probe(), config={"slow_request_log": 0.3, "blocked_loop_warning": 0.2})
    assert server.get("/hold-the-loop?ms=1200").status == 200
    for what in ("slow_request_log", "blocked_loop_warning"):
        assert "hold_the_loop" in server.wait_log(rf"{what}: .*here:\n((?:  .*\n)+)")[1]


def test_one_that_ends_before_it_could_be_looked_at(start):
    server = start(probe(), config={"slow_request_log": 0.3})
    assert server.get("/hold-the-loop?ms=330").status == 200
    server.wait_log(line("/hold-the-loop", rest=r"(?:; it has just ended\n|; the loop is held here:\n)"))
    assert told(server) == 1


def test_what_has_no_end_is_not_slow(start):
    server = start(*PYTHON, "-k", "sync", "--interface", "asgi", "load_probe:asgi", config={"slow_request_log": 0.3},
                   env={"PYTHONDONTWRITEBYTECODE": "1"})
    with server.client() as events, server.client() as socket:
        events.request("/events")
        assert events.head().status == 200
        socket.send(handshake("/websocket"))
        assert socket.head().status == 101
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() > begun + 1, "three times the limit is over")
    assert told(server) == 0


def test_many_at_once_show_some_stacks(serve, tmp_path):
    server = serve("asgi")
    gate = tmp_path / "open"
    clients = [server.client() for _ in range(60)]
    for client in clients:
        client.request(f"/admitted?until={gate}")
    wait_until(lambda: told(server) == 60, "all of them are told of")
    gate.write_text("")
    assert [client.response().status for client in clients] == [200] * 60
    for client in clients:
        client.close()
    shown = len(re.findall(line(), server.log()))
    assert 20 <= shown < 60


def test_it_is_off_unless_set(start):
    server = start(*PYTHON, "admission_probe:app", env={"PYTHONDONTWRITEBYTECODE": "1"})
    assert server.get("/admitted?seconds=0.5").text == "none"
    assert told(server) == 0
