# SPDX-License-Identifier: MIT
"""How many requests run at once, who waits, who is refused: max_concurrent_requests and request_rules."""

import json
import re
import signal
import sys
import threading
import time

import pytest

from harness.client import Closed
from harness.frames import handshake
from harness.paths import ROOT, probe
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
PYTHON = ("--python", sys.executable, "--pythonpath", APPS)

KINDS = {
    "native": (probe(),),
    "gthread": (*PYTHON, "-k", "gthread", "--threads", 12, "admission_probe:app"),
    "async": (*PYTHON, "-k", "async", "admission_probe:app"),
    "asgi": (*PYTHON, "-k", "async", "admission_probe:asgi"),
}

HEALTH = {"path": "/health", "never_shed": True}


@pytest.fixture(params=KINDS)
def serve(start, request):
    """Of every kind whose loop is free while requests run."""
    if request.param == "async":
        pytest.importorskip("gevent")

    def factory(*args, rules=(HEALTH,), **settings):
        config = {"keepalive": 60, "queue_timeout": 60, **settings, "request_rules": list(rules)}
        return start(*args, *KINDS[request.param], config=config, env={"PYTHONDONTWRITEBYTECODE": "1"})

    return factory


class Door:
    """Requests stay inside until it opens, and note the order in which they came in."""

    def __init__(self, server, folder):
        self.server, self.path, self.notes = server, folder / "open", folder / "notes"
        self.health = server.client()
        self.clients = []

    def target(self, name, path="/admitted"):
        return f"{path}?until={self.path}&note={self.notes}&name={name}"

    def send(self, name, path="/admitted", **more):
        """On a connection of its own; returns when the server has read it."""
        client = self.server.client()
        self.clients.append(client)
        client.request(self.target(name, path), **more)
        self.settle()
        return client

    def settle(self):
        # What the server was sent before, it has read when it has answered two requests.
        for _ in range(2):
            assert self.health.get("/health").status == 200

    def inside(self):
        return self.notes.read_text().split() if self.notes.exists() else []

    def wait_inside(self, names):
        wait_until(lambda: self.inside() == list(names), f"{names} are inside, not {self.inside()}")

    def open(self):
        self.path.write_text("")

    def close(self):
        for each in (*self.clients, self.health):
            each.close()


@pytest.fixture
def door_of(tmp_path):
    doors = []

    def make(server):
        doors.append(Door(server, tmp_path))
        return doors[-1]

    yield make
    for each in doors:
        each.close()


def statuses(clients):
    return [client.response().status for client in clients]


def test_the_queue_is_bounded_and_keeps_its_order(serve, door_of):
    server = serve(max_concurrent_requests=1, max_queued_requests=3)
    door = door_of(server)
    clients = [door.send(name) for name in "abcd"]
    refused = door.send("e")
    answer = refused.response()
    assert answer.status == 503 and answer.header("Retry-After") == "60"
    # By request, not by connection.
    assert refused.get("/health").status == 200
    door.wait_inside("a")
    door.open()
    assert statuses(clients) == [200] * 4
    door.wait_inside("abcd")
    server.wait_log(r"\[WARNING\] max_concurrent_requests: 1 answered 503 .* 1 run, 3 wait; this one: GET /admitted")


def test_a_refused_upload_leaves_the_connection_usable(serve, door_of):
    server = serve(max_concurrent_requests=1, max_queued_requests=0)
    door = door_of(server)
    first = door.send("a")
    door.wait_inside("a")
    refused = door.send("b", method="POST", body=b"x" * 5000)
    assert refused.response().status == 503
    assert refused.get("/health").status == 200
    door.open()
    assert first.response().status == 200


def test_who_waits_too_long_is_refused(serve, door_of):
    server = serve(max_concurrent_requests=1, queue_timeout=0.2)
    door = door_of(server)
    first = door.send("a")
    late = door.send("b")
    answer = late.response()
    assert answer.status == 503 and answer.header("Retry-After") == "1"
    door.open()
    assert first.response().status == 200
    assert door.inside() == ["a"]


def test_the_newest_first_once_the_queue_stands(serve, door_of):
    server = serve(max_concurrent_requests=1, queue_timeout=8, queue_order="adaptive_lifo")
    door = door_of(server)
    clients = [door.send(name) for name in "ab"]
    begun = time.monotonic()
    wait_until(lambda: time.monotonic() > begun + 2.1, "the queue has not been empty for a while")
    clients += [door.send(name) for name in "cd"]
    door.open()
    assert statuses(clients) == [200] * 4
    assert door.inside() == list("adcb")


def test_a_client_that_leaves_is_taken_out(serve, door_of):
    server = serve(max_concurrent_requests=1, max_queued_requests=1)
    door = door_of(server)
    first = door.send("a")
    gone = door.send("gone")
    assert door.send("refused").response().status == 503
    gone.close()

    def place():
        client = door.send("c")
        try:
            client.timeout = 0.3
            return client if client.response() is None else None
        except TimeoutError:
            client.timeout = first.timeout
            return client

    third = wait_until(place, "the place in the queue is free")
    door.open()
    assert statuses([first, third]) == [200, 200]
    assert door.inside() == ["a", "c"]


def test_rules_by_path(serve, door_of):
    report = {"path": "/report", "max_concurrent_requests": 1, "max_queued_requests": 2}
    login = {"path": "/login", "priority": "high"}
    server = serve(max_concurrent_requests=2, max_queued_requests=9, rules=[report, login, HEALTH])
    door = door_of(server)
    reports = [door.send(f"report{n}", "/report") for n in range(3)]
    assert door.send("report3", "/report").response().status == 503
    # The reports have one place and a queue of their own; the other place is free.
    other = door.send("other")
    wait_until(lambda: sorted(door.inside()) == ["other", "report0"], "the two are inside")
    later = door.send("later")
    logged_in = door.send("login", "/login")
    door.open()
    assert statuses([*reports, other, later, logged_in]) == [200] * 6
    order = door.inside()
    assert order.index("login") < order.index("later")
    assert order.index("login") < order.index("report1") < order.index("report2")


@pytest.mark.parametrize("path", ["/report", "/report/", "/%72eport", "/report%2Fx"])
def test_every_form_of_a_path_comes_under_its_rule(serve, door_of, path):
    server = serve(rules=[{"path": "/report", "max_concurrent_requests": 1, "max_queued_requests": 0}, HEALTH])
    door = door_of(server)
    first = door.send("a", "/report")
    door.wait_inside("a")
    with server.client() as other:
        assert other.get(path).status == 503
    door.open()
    assert first.response().status == 200


def test_a_rule_has_a_time_limit_of_its_own(serve):
    report = {"path": "/report", "request_timeout": 0.2}
    server = serve(rules=[report], request_timeout=60)
    server.allow("request_timeout")
    with server.client() as client:
        assert client.get("/report?seconds=30").status == 504
    with server.client() as client:
        assert client.get("/admitted?seconds=0.5").status == 200


def test_request_timeout_does_not_count_in_the_queue(serve, door_of):
    server = serve(max_concurrent_requests=1, request_timeout=1.0)
    server.allow("request_timeout")
    with server.client() as first, server.client() as second, server.client() as third:
        for client in (first, second, third):
            client.request("/admitted?seconds=0.6")
        assert statuses([first, second, third]) == [200] * 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_waits_is_served_when_the_worker_ends(serve, door_of, number):
    server = serve(max_concurrent_requests=1)
    door = door_of(server)
    clients = [door.send(name) for name in "abc"]
    (worker,) = server.workers()
    server.send(number)
    if number == signal.SIGHUP:
        wait_until(lambda: [each for each in server.workers() if each != worker], "there is a new worker")
    door.open()
    assert statuses(clients) == [200] * 3
    if number == signal.SIGTERM:
        assert server.wait_exit() == 0


def test_what_waits_is_answered_when_the_worker_ends_at_once(serve, door_of):
    server = serve("--graceful-timeout", 5, max_concurrent_requests=1)
    server.allow("Error handling|Traceback|cancel|RequestCancelled|the task")
    door = door_of(server)
    door.send("a")
    waiting = door.send("b")
    door.wait_inside("a")
    server.send(signal.SIGQUIT)
    try:
        assert waiting.response().status == 503
    except (Closed, ConnectionResetError):
        pass
    door.open()
    server.wait_exit()
    assert door.inside() == ["a"]


def test_idle_connections_give_way(serve):
    server = serve("--worker-connections", 3)
    idle = [server.client() for _ in range(3)]
    for client in idle:
        assert client.get("/health").status == 200
    with server.client() as new:
        assert new.get("/health").status == 200
        # The longest idle one has gone, the others are as good as before.
        assert idle[0].rest() == b""
        assert [client.get("/health").status for client in idle[1:]] == [200, 200]
    for client in idle:
        client.close()


def test_a_websocket_takes_no_place(start):
    server = start(*KINDS["asgi"], config={"max_concurrent_requests": 1, "max_queued_requests": 0})
    with server.client() as client, server.client() as other:
        client.send(handshake("/"))
        assert client.head().status == 101
        assert other.get("/admitted").status == 200


def test_the_time_it_waited_is_told_and_logged(serve, door_of, tmp_path):
    access = tmp_path / "access.log"
    server = serve(
        "--access-logfile", access, "--access-logformat", "%(U)s %(W)s", max_concurrent_requests=1
    )
    door = door_of(server)
    clients = [door.send(name) for name in "ab"]
    begun = time.monotonic()
    wait_until(lambda: time.monotonic() > begun + 0.3, "the second one has waited")
    door.open()
    first, second = (float(client.response().text) for client in clients)
    assert first < 0.3 <= second
    logged = wait_until(lambda: re.findall(r"/admitted ([\d.]+)", access.read_text())[1:], "it is logged")
    assert abs(float(logged[0]) - second) < 0.001


@pytest.mark.parametrize(
    ("trusted", "form", "believed"),
    [("127.0.0.1", "t={:.3f}", True), ("127.0.0.1", "t=%d", True), ("10.0.0.1", "t={:.3f}", False),
     ("127.0.0.1", "soon", False)],
)
def test_the_time_in_a_proxy(serve, trusted, form, believed):
    server = serve("--forwarded-allow-ips", trusted, queue_time=True)
    start_of_request = time.time() - 20
    field = form % (start_of_request * 1e6) if "%d" in form else form.format(start_of_request)
    with server.client() as client:
        waited = float(client.get("/admitted", headers=[("X-Request-Start", field)]).text)
    assert (19.9 <= waited < 30) if believed else waited < 10


def test_without_a_setting_nothing_is_measured(serve):
    server = serve(rules=[])
    with server.client() as client:
        assert client.get("/admitted").text == "none"


def test_wrong_rules_are_explained(command, tmp_path):
    config = tmp_path / "unicoro.json"
    rules = [{"path": "report"}, {"path": "/a", "max_requests": 1}, {"path": "/b", "priority": "urgent"}, {},
             {"path": "/c", "never_shed": True, "max_concurrent_requests": 1}, {"path": "/d"}, {"path": "/d"}]
    config.write_text(json.dumps({"request_rules": rules}))
    done = command("-c", config, "--check-config", "nothing:app")
    assert done.returncode != 0
    for part in ["/request_rules/0/path", "/request_rules/1/max_requests", "/request_rules/2/priority",
                 "/request_rules/3", '"never_shed" does not go with', "two rules"]:
        assert part in done.stderr, done.stderr


SERVICE = 0.02


def flood(server, seconds, connections):
    """Clients that ask again at once, or when refused after a while; the statuses and times of their answers."""
    answers = []

    def run():
        with server.client() as client:
            while time.monotonic() < end:
                begun = time.monotonic()
                status = client.get(f"/admitted?seconds={SERVICE}").status
                answers.append((status, time.monotonic() - begun))
                if status == 503:
                    time.sleep(SERVICE)

    end = time.monotonic() + seconds
    threads = [threading.Thread(target=run) for _ in range(connections)]
    for each in threads:
        each.start()
    yield
    for each in threads:
        each.join()
    yield answers


OVERLOADED = {
    "sync": (1, ("-k", "sync", "admission_probe:app")),
    "gthread": (4, ("-k", "gthread", "--threads", 4, "admission_probe:app")),
    "async": (4, ("-k", "async", "admission_probe:app")),
    "asgi": (4, ("-k", "sync", "--interface", "asgi", "admission_probe:asgi")),
}


@pytest.mark.parametrize("kind", OVERLOADED)
def test_overload(start, kind):
    """More than three times as many clients as there is room for, of whom a third is refused: as much is served as
    without them, the admitted soon, and the health path always. Exact figures: bench/overload.py."""
    if kind == "async":
        pytest.importorskip("gevent")
    room, args = OVERLOADED[kind]
    server = start(
        *PYTHON, *args,
        config={"max_concurrent_requests": room, "max_queued_requests": room, "queue_timeout": 1,
                "request_rules": [HEALTH]},
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )

    def served(seconds, clients):
        load = flood(server, seconds, clients)
        next(load)
        with server.client() as client:
            assert [client.get("/health").status for _ in range(20)] == [200] * 20
        answers = next(load)
        assert {status for status, _ in answers} <= {200, 503}
        return sorted(took for status, took in answers if status == 200), len(answers)

    alone, _ = served(1.5, room)
    admitted, asked = served(3, room * 3 + 1)  # under sync one may always be just on its way
    assert len(admitted) / 3 > 0.7 * len(alone) / 1.5, "overload costs no capacity"
    assert len(admitted) < asked, "some are refused"
    assert admitted[int(len(admitted) * 0.99)] < 1 + SERVICE + 1


def test_what_is_left_to_the_application_by_sync(start, tmp_path):
    """The body is read before the request has a place."""
    server = start(
        *PYTHON, "admission_probe:app", config={"max_concurrent_requests": 1, "max_queued_requests": 0},
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    with server.client() as slow, server.client() as other:
        slow.send("POST /admitted HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbegin")
        assert [other.get("/admitted").status for _ in range(2)] == [200, 200]
        slow.send(b"x" * 95)
        assert slow.response().status == 200
