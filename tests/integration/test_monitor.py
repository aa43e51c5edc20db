# SPDX-License-Identifier: MIT
"""admin_bind: the process that tells of the server from outside."""

import json
import os
import re
import signal
import socket
import stat
import sys
import time
from pathlib import Path

import pytest

from harness import processes
from harness.client import Client
from harness.metrics import Monitor
from harness.paths import ROOT, probe
from harness.sanitizers import SCALE
from harness.upgrades import upgrade
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
PYTHON = ("--python", sys.executable, "--pythonpath", APPS)
PATHS = ("/livez", "/readyz", "/metrics", "/status", "/requests", "/history")

# Of an answer while every worker is stuck, on a machine that is busy.
AT_ONCE = 0.2 * SCALE


def the_monitor(server) -> int:
    """The only one there is, which it may be about to become."""
    return wait_until(lambda: len(found := server.monitors()) == 1 and found, "there is one")[0]


@pytest.fixture
def watched(start, tmp_path):
    """A server and a client of its monitor: watched(args...) -> (server, monitor)."""

    def make(*args, **more):
        path = tmp_path / "admin.sock"
        server = start("--admin-bind", f"unix:{path}", *args, **more)
        wait_until(path.exists, "the monitor's socket is there")
        return server, Monitor(path)

    return make


def test_there_is_none_unless_asked_for(start):
    server = start(probe())
    assert server.monitors() == []


def test_what_it_answers(watched):
    server, monitor = watched("-w", 2, probe())
    for path in PATHS:
        answer = monitor.get(path)
        assert answer.status == 200, path
        assert answer.header("Cache-Control") == "no-store"
        assert answer.header("X-Content-Type-Options") == "nosniff"
        empty = monitor.get(path, method="HEAD")
        assert (empty.status, empty.body) == (200, b"")
        refused = monitor.get(path, method="DELETE")
        assert (refused.status, refused.header("Allow")) == (405, "GET, HEAD")
    for path in ("/index.html", "/livez/", "/metrics.json", "/status/1", "/%6civez", "/history/"):
        assert monitor.get(path).status == 404
    assert monitor.get("/livez").body == b"OK\n"
    status = monitor.json("/status")
    assert status["master_pid"] == server.pid
    assert status["generation"] == 1 and status["ready"] and not status["stopping"]
    assert {each["pid"] for each in status["workers"]} == set(server.workers())
    assert all(each["state"] == "ready" and each["memory_bytes"] > 0 for each in status["workers"])
    # It has nothing of the application's: no listening socket of the server but its own.
    pid = the_monitor(server)
    assert server.get("/").status == 200
    inodes = {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir() if "socket" in os.readlink(entry)}
    public = set()
    for worker in server.workers():
        public |= {os.readlink(each) for each in Path(f"/proc/{worker}/fd").iterdir() if "socket" in os.readlink(each)}
    assert not inodes & public
    writable = [line for line in Path(f"/proc/{pid}/maps").read_text().splitlines()
                if " rw-s " in line and ("/dev/zero" in line or "memfd" in line)]
    # The board of loads, hints of the workers for each other, and the slot of its own.
    assert len(writable) <= 3, writable


def test_its_socket_is_not_for_everybody(watched, tmp_path):
    server, _ = watched(probe())
    assert stat.S_IMODE((tmp_path / "admin.sock").stat().st_mode) == 0o660
    assert server.stop() == 0
    assert not (tmp_path / "admin.sock").exists()


def test_requests_in_flight(watched, tmp_path):
    gate = tmp_path / "open"
    server, monitor = watched(*PYTHON, "-w", 2, "-k", "gthread", "--threads", 2, "--max-concurrent-requests", 1,
                              "--access-logfile", "-", "stuck_probe:app")
    assert monitor.json("/requests") == {"requests": [], "unlisted": 0}
    clients = [server.client() for _ in range(4)]
    for client in clients:
        client.request(f"/sleep?until={gate}&password=secret")

    def stages():
        found = monitor.json("/requests")["requests"]
        return len(found) == 4 and found

    found = wait_until(stages, "all of them are there")
    wait_until(lambda: {each["stage"] for each in stages() or ()} <= {"application", "queued"}, "they are")
    for each in found:
        assert each["method"] == "GET" and each["path"] == "/sleep"
        assert each["pid"] in server.workers()
        assert 0 <= each["age_seconds"] < 60
    ages = [each["age_seconds"] for each in found]
    assert ages == sorted(ages, reverse=True)
    assert "secret" not in monitor.get("/requests").text
    gate.write_text("")
    for client in clients:
        assert client.response().status == 200
        client.close()
    wait_until(lambda: monitor.json("/requests")["requests"] == [], "none is left")
    # Nor is what is asked here anybody's request.
    assert "/requests" not in server.output()


def test_workers_that_came_later_are_seen_too(watched, tmp_path):
    gate = tmp_path / "open"
    server, monitor = watched(*PYTHON, "-w", 1, "stuck_probe:app")
    server.allow("was sent SIGKILL")
    (first,) = server.workers()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: server.workers() and server.workers() != [first], "another one")
    with server.client() as client:
        client.request(f"/sleep?until={gate}")
        found = wait_until(lambda: monitor.json("/requests")["requests"], "its request is seen")
        assert found[0]["pid"] != first
        gate.write_text("")
        assert client.response().status == 200


def test_with_preloaded_workers(watched, tmp_path):
    gate = tmp_path / "open"
    server, monitor = watched(*PYTHON, "-w", 2, "--preload", "stuck_probe:app")
    with server.client() as client:
        client.request(f"/sleep?until={gate}")
        found = wait_until(lambda: monitor.json("/requests")["requests"], "its request is seen")
        assert found[0]["pid"] in server.workers()
        gate.write_text("")
        assert client.response().status == 200


@pytest.mark.parametrize("manner", ["sleep", "busy"])
def test_it_answers_while_every_worker_is_stuck(watched, tmp_path, manner):
    gate = tmp_path / "open"
    server, monitor = watched(*PYTHON, "-w", 2, "-k", "sync", "--timeout", 60, "stuck_probe:app")
    clients = []
    while len({each["pid"] for each in monitor.json("/requests")["requests"]}) < 2:
        clients.append(server.client())
        clients[-1].request(f"/{manner}?until={gate}")
        count = len(clients)
        wait_until(lambda: len(monitor.json("/requests")["requests"]) >= min(count, 1), "one is stuck")
        if count > 1:
            # Whom a stuck worker has in its backlog nobody sees; another one comes to the other worker.
            time.sleep(0.02)
        assert count < 200
    times = {}
    for path in PATHS * 5:
        began = time.monotonic()
        assert monitor.get(path).status == 200
        times.setdefault(path, []).append(time.monotonic() - began)
    print({path: f"{1000 * min(all_):.1f} ms" for path, all_ in times.items()})
    assert all(min(all_) < AT_ONCE for all_ in times.values()), times
    found = monitor.json("/requests")["requests"]
    assert {each["path"] for each in found} == {f"/{manner}"}
    wait_until(lambda: min(each["silent_seconds"] for each in monitor.json("/status")["workers"]) > 1.5,
               "they are seen to be silent")
    gate.write_text("")
    for client in clients:
        assert client.response().status == 200
        client.close()


def test_its_death_is_mended_and_costs_nothing(watched):
    server, monitor = watched("-w", 2, probe())
    server.allow(r"The monitor \(pid:\d+\) was sent SIG(KILL|SEGV|ABRT)")
    workers = server.workers()
    with server.client() as client:
        for number in (signal.SIGKILL, signal.SIGABRT, signal.SIGKILL):
            pid = the_monitor(server)
            os.kill(pid, number)
            assert client.get("/").status == 200
            # Who asks in between waits in the backlog.
            assert monitor.get("/livez").status == 200
            assert server.monitors() != [pid]
    assert server.workers() == workers
    wait_until(lambda: monitor.value("unicoro_monitor_ends_total") == 3, "they are counted")


def test_signals_of_a_terminal_do_not_end_it(watched):
    server, monitor = watched(probe())
    pid = the_monitor(server)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        os.kill(pid, number)
    assert monitor.get("/livez").status == 200
    assert server.monitors() == [pid]


def test_it_ends_with_its_master(watched):
    server, _ = watched(probe())
    pid = the_monitor(server)
    os.kill(server.pid, signal.SIGKILL)
    server.wait_exit()
    wait_until(lambda: not processes.alive(pid), "it has noticed")
    processes.reap_helpers()


def test_it_says_that_the_server_stops(watched, tmp_path):
    gate = tmp_path / "open"
    server, monitor = watched(*PYTHON, "-k", "gthread", "--threads", 2, "--graceful-timeout", 30, "stuck_probe:app")
    assert monitor.get("/readyz").status == 200
    with server.client() as client:
        client.request(f"/sleep?until={gate}")
        wait_until(lambda: monitor.json("/requests")["requests"], "it is in there")
        server.send(signal.SIGTERM)
        answer = wait_until(lambda: (got := monitor.get("/readyz")).status == 503 and got, "it stops")
        assert answer.body == b"stopping\n"
        assert monitor.get("/livez").status == 200
        assert monitor.json("/status")["workers"][0]["state"] == "draining"
        gate.write_text("")
        assert client.response().status == 200
    assert server.wait_exit() == 0


def test_ready_means_enough_workers(start, tmp_path):
    path = tmp_path / "admin.sock"
    gate = tmp_path / "open"
    app = tmp_path / "late_app.py"
    app.write_text(
        "import os, time\n"
        f"while os.path.exists({str(tmp_path / 'late')!r}) and not os.path.exists({str(gate)!r}): time.sleep(0.01)\n"
        "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'']\n"
    )
    (tmp_path / "late").write_text("")
    server = start("--admin-bind", f"unix:{path}", "-w", 3, "--ready-workers", 2, "--python", sys.executable,
                   "--pythonpath", tmp_path, "late_app:app", ready=False)
    monitor = Monitor(path)
    # There is a file of it a moment before anybody can connect.
    server.wait_log("Monitor listening at")
    answer = monitor.get("/readyz")
    assert answer.status == 503 and "0 workers are ready, fewer than ready_workers (2)" in answer.text
    assert monitor.get("/livez").status == 200
    gate.write_text("")
    server.wait_ready()
    wait_until(lambda: monitor.get("/readyz").status == 200, "enough")


def test_reload_brings_new_settings(start, tmp_path):
    first, second = tmp_path / "first.sock", tmp_path / "second.sock"
    config = {"workers": 1, "admin_bind": [f"unix:{first}"]}
    server = start(probe(), config=config)
    monitor = Monitor(first)
    assert monitor.json("/status")["generation"] == 1
    before = the_monitor(server)

    def reload(**settings):
        (server.folder / "unicoro.json").write_text(json.dumps(config | settings))
        done = server.log().count("Reload complete")
        server.send(signal.SIGHUP)
        wait_until(lambda: server.log().count("Reload complete") > done, "reloaded")

    reload(admin_bind=[f"unix:{first}", f"unix:{second}"])
    wait_until(lambda: len(server.monitors()) == 1 and server.monitors() != [before], "one of the new settings")
    assert Monitor(second).json("/status")["generation"] == 2
    assert monitor.get("/livez").status == 200
    assert monitor.value("unicoro_reloads_total", outcome="completed") == 1
    reload(admin_bind=[f"unix:{second}"])
    wait_until(lambda: len(server.monitors()) == 1, "the former one has gone")
    assert not first.exists() and Monitor(second).get("/livez").status == 200
    reload(admin_bind=[])
    wait_until(lambda: server.monitors() == [], "there is none any more")
    assert not second.exists()
    reload(admin_bind=[f"unix:{first}"])
    wait_until(first.exists, "there is one again")
    assert monitor.json("/status")["generation"] == 5


def test_reload_without_a_gap(watched):
    server, monitor = watched("-w", 2, probe())
    for _ in range(3):
        done = server.log().count("Reload complete")
        server.send(signal.SIGHUP)
        while server.log().count("Reload complete") == done:
            assert monitor.get("/livez").status == 200
            assert monitor.get("/metrics").status == 200
    wait_until(lambda: len(server.monitors()) == 1, "the former ones have gone")


def test_an_address_that_cannot_be_had_refuses_the_reload(start, tmp_path):
    config = {"admin_bind": [f"unix:{tmp_path / 'admin.sock'}"]}
    server = start(probe(), config=config)
    server.allow("Reload")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        (server.folder / "unicoro.json").write_text(json.dumps(config | {"admin_bind": [where]}))
        server.send(signal.SIGHUP)
        server.wait_log(r"Reload: admin_bind: .*" + re.escape(where))
    monitor = Monitor(tmp_path / "admin.sock")
    assert monitor.get("/readyz").status == 200
    wait_until(lambda: monitor.value("unicoro_reloads_total", outcome="refused") == 1, "it is counted")


@pytest.mark.needs_plain_build("an upgrade starts another program")
def test_upgrade_hands_it_over(watched):
    server, monitor = watched("-w", 2, probe())
    for _ in range(5):
        assert server.get("/").status == 200
    wait_until(lambda: monitor.json("/status")["requests"] >= 5, "counted")
    before = the_monitor(server)
    upgrade(server)
    wait_until(lambda: len(server.monitors()) == 1 and server.monitors() != [before], "the new program's")
    assert monitor.get("/readyz").status == 200
    status = monitor.json("/status")
    assert status["requests"] >= 5
    wait_until(lambda: monitor.value("unicoro_upgrades_total", outcome="completed") == 1, "it is counted")
    assert {each["pid"] for each in monitor.json("/status")["workers"]} == set(server.workers())


def test_slow_and_many_clients_do_not_keep_it(watched, tmp_path):
    _, monitor = watched(probe())
    path = str(tmp_path / "admin.sock")
    silent = [Client(path) for _ in range(100)]
    try:
        # The oldest of those who say nothing give way.
        assert monitor.get("/livez", timeout=20).status == 200
    finally:
        for each in silent:
            each.close()
    assert monitor.get("/livez").status == 200


def test_bodies_and_garbage(watched, tmp_path):
    _, monitor = watched(probe())
    for garbage in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET /livez HTTP/1.1\r\n\r\n", b"\0" * 10000):
        with Client(str(tmp_path / "admin.sock")) as client:
            client.send(garbage)
            client.end_sending()
            client.rest()
    with Client(str(tmp_path / "admin.sock")) as client:
        client.send("GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.response().status == 200
        assert client.response().status == 200
    assert monitor.get("/livez").status == 200
