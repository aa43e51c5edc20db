# SPDX-License-Identifier: MIT
"""/stacks and unicoro stacks: where the code of requests is, also while every worker is stuck."""

import json
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.metrics import Monitor
from harness.paths import ROOT, probe
from harness.sanitizers import SCALE
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
PYTHON = ("--python", sys.executable, "--pythonpath", APPS)
SOURCE = (APPS / "stuck_probe.py").read_text().splitlines()

KINDS = {
    "sync": ("-k", "sync", "stuck_probe:app"),
    "gthread": ("-k", "gthread", "--threads", 1, "stuck_probe:app"),
    "async": ("-k", "async", "stuck_probe:app"),
    "eventlet": ("-k", "eventlet", "stuck_probe:app"),
    "asgi": ("-k", "sync", "--interface", "asgi", "stuck_probe:asgi"),
    "asgi beside gevent": ("-k", "async", "--interface", "asgi", "stuck_probe:asgi"),
}
NEEDED = {"async": "gevent", "eventlet": "eventlet", "asgi beside gevent": "gevent"}
RUNS_IN = {"sync": "loop", "gthread": "thread", "async": "greenlet", "eventlet": "greenlet", "asgi": "task",
           "asgi beside gevent": "task"}
FUNCTIONS = {"sleep": "sleep_until", "busy": "compute_until"}

# Of an answer while the workers are asked for their stacks, on a machine that is busy.
AT_ONCE = 1.0 * SCALE


def lines_of(function: str) -> range:
    first = next(at for at, line in enumerate(SOURCE, 1) if re.match(rf"(async )?def {function}\(", line))
    return range(first + 1, first + 3)


@pytest.fixture
def watched(start, tmp_path):
    def make(kind, *args, **more):
        if kind in NEEDED:
            pytest.importorskip(NEEDED[kind], exc_type=ImportError)
        path = tmp_path / "admin.sock"
        server = start("--admin-bind", f"unix:{path}", "--timeout", 120, *args, *PYTHON, *KINDS.get(kind, kind),
                       env={"PYTHONDONTWRITEBYTECODE": "1"}, **more)
        wait_until(path.exists, "the monitor's socket is there")
        return server, Monitor(path), f"unix:{path}"

    return make


class Stuck:
    """Requests that hold every worker."""

    def __init__(self, server, monitor, manner, gate, workers=2):
        self.gate, self.clients = gate, []

        def held():
            return {each["pid"] for each in monitor.json("/requests")["requests"]}

        while len(held()) < workers:
            assert len(self.clients) < 200
            self.clients.append(server.client())
            self.clients[-1].request(f"/{manner}?until={gate}&password=secret")
            # Whom a stuck worker has in its backlog nobody sees; another one comes to the other worker.
            wait_until(held, "one is stuck")
            time.sleep(0.02)

    def let_go(self):
        self.gate.write_text("")
        for client in self.clients:
            assert client.response().status == 200
            client.close()


def stack_of(told: dict) -> list[tuple[str, int, str]]:
    return [(Path(each["file"]).name, each["line"], each["function"]) for each in told["stack"] or ()]


def is_at(told: dict, function: str) -> bool:
    return any(file == "stuck_probe.py" and name == function and line in lines_of(function)
               for file, line, name in stack_of(told))


def by_worker(monitor, path="/stacks") -> dict[int, list[dict]]:
    found = {}
    for each in monitor.json(path)["requests"]:
        found.setdefault(each["pid"], []).append(each)
    return found


@pytest.mark.parametrize("manner", FUNCTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_while_every_worker_is_stuck(watched, command, tmp_path, kind, manner):
    server, monitor, where = watched(kind, "-w", 2)
    stuck = Stuck(server, monitor, manner, tmp_path / "open")
    function = FUNCTIONS[manner]

    def seen():
        found = by_worker(monitor)
        return len(found) == 2 and all(any(is_at(one, function) for one in of) for of in found.values()) and found

    for of in wait_until(seen, "both are seen where they are").values():
        (one,) = (each for each in of if is_at(each, function))
        assert (one["method"], one["path"], one["stage"]) == ("GET", f"/{manner}", "application")
        assert one["runs_in"] == RUNS_IN[kind]
        assert one["holds_loop"] is (kind != "gthread")
        # From the application's first call on, nothing of the server's.
        assert stack_of(one)[0][0] == "stuck_probe.py", one
        assert any("os.path.exists(gate)" in each["code"] or "hold(10_000)" in each["code"] for each in one["stack"])
    said = command("requests", "--admin", where).stdout
    for pid in server.workers():
        found = re.search(rf"^ *[\d.]+ s +{pid}  application  (\S+) +GET /{manner}$", said, re.MULTILINE)
        assert found, said
        told = command("stacks", "--worker", pid, "--admin", where)
        assert told.returncode == 0 and "secret" not in told.stdout
        number = re.search(rf'stuck_probe.py", line (\d+), in {function}\n    \S', told.stdout)
        assert number and int(number[1]) in lines_of(function), told.stdout
        assert re.search(rf"^GET /{manner} for [\d.]+ s \(pid {pid}, application, {found[1]}\) is in "
                         rf"(a {RUNS_IN[kind]}|the worker's {RUNS_IN[kind]}, which it holds)", told.stdout, re.MULTILINE), told.stdout
        assert str(pid) in told.stdout and not any(str(other) in told.stdout for other in server.workers() if other != pid)
    print(told.stdout)
    stuck.let_go()


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_others_are_answered_meanwhile(watched, tmp_path, kind):
    server, monitor, _ = watched(kind, "-w", 2)
    stuck = Stuck(server, monitor, "busy", tmp_path / "open")
    stopped = server.workers()[0]
    os.kill(stopped, signal.SIGSTOP)
    done, failures = threading.Event(), []

    def ask():
        while not done.is_set():
            if monitor.get("/stacks").status != 200:
                failures.append("/stacks")

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for each in askers:
        each.start()
    times = {}
    try:
        for path in ("/livez", "/readyz", "/metrics", "/status", "/requests") * 8:
            began = time.monotonic()
            assert monitor.get(path).status == 200
            times.setdefault(path, []).append(time.monotonic() - began)
            time.sleep(0.02)
        print({path: f"{1000 * max(all_):.1f} ms" for path, all_ in times.items()})
        assert all(min(all_) < AT_ONCE for all_ in times.values()), times
    finally:
        done.set()
        for each in askers:
            each.join()
        os.kill(stopped, signal.SIGCONT)
    assert not failures
    stuck.let_go()


def test_a_worker_that_is_stopped(watched, command):
    server, monitor, where = watched("sync", "-w", 2)
    stopped, running = server.workers()

    def all_answer():
        return {each["pid"]: each["answer"] for each in monitor.json("/stacks")["workers"]} == {stopped: "whole", running: "whole"}

    wait_until(all_answer, "both have somebody who answers")
    os.kill(stopped, signal.SIGSTOP)
    try:
        answers = {each["pid"]: each["answer"] for each in monitor.json("/stacks")["workers"]}
        assert answers == {stopped: "none", running: "whole"}
        said = command("stacks", "--admin", where)
        assert said.returncode == 0
        assert re.match(rf"Worker {stopped} does not answer: it is stopped, or ", said.stdout)
        assert str(running) not in said.stdout
        # One that is not asked is not waited for.
        assert monitor.json(f"/stacks?worker={running}")["workers"][0]["answer"] == "whole"
    finally:
        os.kill(stopped, signal.SIGCONT)
    wait_until(all_answer, "it answers again")


@pytest.mark.parametrize("kind", ["async", "eventlet", "asgi", "asgi beside gevent"])
def test_those_that_only_wait(watched, tmp_path, kind):
    server, monitor, _ = watched(kind, "-w", 1)
    waiting, holding = server.client(), server.client()
    waiting.request(f"/wait?until={tmp_path / 'first'}")
    function = "await_until" if "asgi" in kind else "wait_until"

    def one(path):
        return next((each for each in monitor.json("/stacks")["requests"] if each["path"] == path), {"stack": None})

    wait_until(lambda: is_at(one("/wait"), function), "the first one is seen")
    assert one("/wait")["holds_loop"] is False
    holding.request(f"/sleep?until={tmp_path / 'second'}")
    wait_until(lambda: is_at(one("/sleep"), "sleep_until"), "the second one is seen")
    assert one("/sleep")["holds_loop"] is True
    assert is_at(one("/wait"), function) and one("/wait")["holds_loop"] is False
    # One of them by its id.
    told = one("/wait")
    (alone,) = monitor.json(f"/stacks?request={told['id']}")["requests"]
    assert (alone["id"], alone["path"]) == (told["id"], "/wait")
    for gate, client in (("second", holding), ("first", waiting)):
        (tmp_path / gate).write_text("")
        assert client.response().status == 200
        client.close()
    assert monitor.json(f"/stacks?request={told['id']}")["requests"] == []


@pytest.mark.parametrize("preload", [(), ("--preload",)])
def test_workers_that_come_later(watched, tmp_path, preload):
    server, monitor, _ = watched("sync", "-w", 1, *preload)
    server.allow("was sent SIGKILL|In flight in worker")
    for round_ in range(2):
        gate = tmp_path / f"open{round_}"
        with server.client() as client:
            client.request(f"/sleep?until={gate}")
            found = wait_until(lambda: [each for each in monitor.json("/stacks")["requests"] if is_at(each, "sleep_until")],
                               "its stack is seen")
            assert found[0]["pid"] == server.workers()[0]
            gate.write_text("")
            assert client.response().status == 200
        # Another monitor sees it as well.
        for pid in server.monitors() if round_ == 0 else ():
            server.allow(r"The monitor \(pid:\d+\) was sent SIGKILL")
            os.kill(pid, signal.SIGKILL)
        before = server.workers()
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: server.workers() and server.workers() != before, "another one")
        server.wait_workers(1)


def test_a_thread_that_waits_for_its_turn_and_one_that_has_none(watched, tmp_path):
    server, monitor, _ = watched("gthread", "-w", 1)
    gate = tmp_path / "open"
    with server.client() as first, server.client() as second:
        first.request(f"/sleep?until={gate}")
        wait_until(lambda: monitor.json("/requests")["requests"], "it is there")
        second.request(f"/second?until={gate}")

        def seen():
            found = {each["path"]: each for each in monitor.json("/stacks")["requests"]}
            return len(found) == 2 and is_at(found["/sleep"], "sleep_until") and found["/second"]["stack"] is None and found

        wait_until(lambda: (got := seen()) and "not in the application's code" in got["/second"]["why"], "both are there")
        gate.write_text("")
        assert [client.response().status for client in (first, second)] == [200, 200]


def test_deep_and_many(watched, tmp_path):
    (tmp_path / "deep_app.py").write_text(
        "import os, time\n"
        "def down(depth, gate):\n"
        "    if depth: return down(depth - 1, gate)\n"
        "    while not os.path.exists(gate): time.sleep(0.01)\n"
        "def app(environ, start_response):\n"
        "    down(300, environ['QUERY_STRING'])\n"
        "    start_response('200 OK', [('Content-Length', '0')])\n"
        "    return []\n"
    )
    pytest.importorskip("gevent", exc_type=ImportError)
    server, monitor, _ = watched(("--pythonpath", tmp_path, "-k", "async", "deep_app:app"), "-w", 1)
    gate = tmp_path / "open"
    clients = [server.client() for _ in range(120)]
    for client in clients:
        client.request(f"/?{gate}")
    wait_until(lambda: len(monitor.json("/requests")["requests"]) == len(clients), "all are there")

    def all_deep():
        told = monitor.json("/stacks")
        stacks = [each["stack"] for each in told["requests"] if each["stack"]]
        return told["workers"][0]["answer"] == "clipped" and all(len(each) == 41 for each in stacks) and told

    told = wait_until(all_deep, "it is clipped, and all have come to where they wait")
    whole = [each for each in told["requests"] if each["stack"]]
    assert 10 < len(whole) < len(clients)
    for each in whole:
        assert any(call["line"] == 4 for call in each["stack"])
        assert re.fullmatch(r"\d+ more calls", each["stack"][0]["code"])
    assert all("there are more stacks" in each["why"] for each in told["requests"] if not each["stack"])
    gate.write_text("")
    for client in clients:
        assert client.response().status == 200
        client.close()


def test_one_whose_client_does_not_read(watched, command):
    """Between two pieces of its response none of its code runs, and it does not hold the loop."""
    server, monitor, where = watched(("-k", "sync", "lifetime_wsgi:application"), "-w", 1)
    server.allow("the client went away before its response was complete")
    client = server.client()
    client.request("/pieces_without_end")

    def waits():
        found = monitor.json("/stacks")["requests"]
        return [(each["runs_in"], each["holds_loop"], each["stack"]) for each in found if each["stack"] is not None] == [
            ("loop", False, [])]

    wait_until(waits, "it waits for its client")
    assert re.search(r"^GET /pieces_without_end for .* is between two pieces of its response$",
                     command("stacks", "--admin", where).stdout, re.MULTILINE)
    assert "between two pieces of its response\n" in monitor.get("/stacks?format=text").text
    client.reset()


def test_native_applications_have_none(start, command, tmp_path):
    path = tmp_path / "admin.sock"
    start("--admin-bind", f"unix:{path}", probe())
    wait_until(path.exists, "the monitor's socket is there")
    told = Monitor(path).json("/stacks")
    assert [each["answer"] for each in told["workers"]] == ["mute"] and told["requests"] == []
    assert "has no Python code" in command("stacks", "--admin", f"unix:{path}").stdout


def test_how_it_is_asked(watched, command):
    server, monitor, where = watched("sync", "-w", 1)
    (pid,) = server.workers()
    assert monitor.get("/stacks?format=text").text == "No request is in flight.\n"
    assert monitor.json(f"/stacks?worker={pid + 1}") == {"workers": [], "requests": [], "unlisted": 0}
    for wrong in ("worker=", "worker=x", "worker=1.5", "format=xml"):
        refused = monitor.get(f"/stacks?{wrong}")
        assert refused.status == 400 and "worker is the pid" in refused.text
    assert command("stacks", "--admin", where).stdout == "No request is in flight.\n"
    assert json.loads(command("stacks", "--json", "--admin", where).stdout)["workers"][0]["pid"] == pid
    unknown = command("stacks", "--worker", 1, "--admin", where)
    assert unknown.returncode == 1 and "no worker of the server has the pid 1; unicoro status lists them" in unknown.stderr
    wrong = command("stacks", "--worker", "first", "--admin", where)
    assert wrong.returncode == 2 and '"first" is no number of a process' in wrong.stderr


def test_text(watched, tmp_path):
    server, monitor, _ = watched("sync", "-w", 1)
    stuck = Stuck(server, monitor, "sleep", tmp_path / "open", workers=1)
    text = wait_until(lambda: "sleep_until" in (got := monitor.get("/stacks?format=text").text) and got, "it is seen")
    assert re.match(r"GET /sleep for \d+\.\d s, pid \d+, application, request [0-9a-f-]+, in the worker's loop, which it holds:\n", text)
    assert re.search(r'  File ".*stuck_probe.py", line \d+, in sleep_until\n    \S', text)
    stuck.let_go()
