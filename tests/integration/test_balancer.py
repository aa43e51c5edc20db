# SPDX-License-Identifier: MIT
"""HAProxy before three servers that answer its agent checks, by config/haproxy-agent-check.cfg: what it sees of them, and
what becomes of each request while they are reloaded, upgraded, overloaded, stopped and killed."""

import contextlib
import os
import signal
import threading
import time
from dataclasses import dataclass

import pytest

from harness import fronts
from harness.addresses import free_port
from harness.client import Client, Closed
from harness.counted_load import CountedLoad
from harness.metrics import Monitor
from harness.namespaces import Namespace
from harness.paths import probe
from harness.upgrades import upgrade
from harness.waiting import LONG, wait_until

pytestmark = pytest.mark.skipif(not fronts.HAPROXY, reason="needs haproxy")

PLACES = 16  # of a worker; there are two of them in each server


@dataclass
class Place:
    """Where a server is: all three at the same addresses in namespaces of their own, or by ports."""

    name: str
    port: int
    agent_port: int
    namespace: Namespace | None

    def inside(self):
        return self.namespace.inside() if self.namespace else contextlib.nullcontext()

    def line(self) -> str:
        apart = f" namespace {self.namespace.name}" if self.namespace else ""
        return f"127.0.0.1:{self.port} agent-port {self.agent_port}{apart}"


@pytest.fixture
def places():
    made = []
    for number in (1, 2, 3):
        namespace = Namespace.made(f"unicoro-test-{os.getpid()}-{number}")
        ports = (8000, 9000) if namespace else (free_port(), free_port())
        made.append(Place(f"app{number}", *ports, namespace))
    yield made
    for each in made:
        if each.namespace:
            each.namespace.remove()


@pytest.fixture
def serve(start, tmp_path):
    """serve(place) -> a server there."""

    def make(place: Place):
        with place.inside():
            return start("-w", 2, "-k", "async", "-b", f"127.0.0.1:{place.port}", "--keep-alive", 75,
                         "--agent-check-bind", f"127.0.0.1:{place.agent_port}", "--health-path", "/healthz",
                         "--admin-bind", f"unix:{tmp_path / place.name}.sock", "--shutdown-delay", 6,
                         "--max-concurrent-requests", PLACES, "--queue-timeout", 60, "--graceful-timeout", 20,
                         probe(), listen=False)

    return make


@pytest.fixture
def balancer(serve, places, tmp_path):
    """The servers by their names, the load through HAProxy, and its statistics."""
    servers = {place.name: serve(place) for place in places}
    front = fronts.haproxy_before([place.line() for place in places], tmp_path / "front")
    with fronts.Statistics(tmp_path / "front" / "statistics") as seen:
        for name in servers:
            seen.wait(name, lambda of: of["agent_status"].endswith("L7OK") and is_up(of, 90), "it is free")
        with CountedLoad(front.address) as load:
            yield servers, load, seen
    front.stop()


def is_up(fields, weight: int) -> bool:
    return fields["status"] == "UP" and int(fields["weight"]) >= weight


class Table:
    """The figures of a test, one row for each thing that was done."""

    def __init__(self, load: CountedLoad):
        self.load = load
        self.rows: list[str] = []

    @contextlib.contextmanager
    def row(self, what: str):
        """Of what goes on meanwhile; what is noted in the list comes behind the numbers."""
        began, asked, again = time.monotonic(), self.load.asked, self.load.again
        notes: list[str] = []
        yield notes
        self.load.wait_more(50)
        lost = len(self.load.lost_since(began))
        self.rows.append(f"| {what} | {time.monotonic() - began:.1f} | {self.load.asked - asked} | {lost} | "
                         f"{self.load.again - again} | {'; '.join(notes)} |")


class Held:
    """Requests that stay in a server until they are let go, each of a client of its own."""

    def __init__(self, gate, count: int, address, inside, method: str = "GET"):
        self.gate = gate
        self.statuses: list[int | str] = []
        with inside:
            clients = [Client(address, timeout=6 * LONG) for _ in range(count)]
        self._threads = [threading.Thread(target=self._ask, args=(each, method), daemon=True) for each in clients]
        for each in self._threads:
            each.start()
        for _ in clients:
            gate.wait_entered()

    def _ask(self, client: Client, method: str) -> None:
        try:
            with client:
                body = b"x" if method == "POST" else b""
                self.statuses.append(client.get(f"/hold?gate={self.gate.path}", method=method, body=body).status)
        except (OSError, Closed) as failure:
            self.statuses.append(type(failure).__name__)

    def end(self, gone: int = 0) -> list[int | str]:
        """Lets those go that are still there; the answers of all."""
        for _ in range(len(self._threads) - gone):
            self.gate.release()
        for each in self._threads:
            each.join(3 * LONG)
            assert not each.is_alive(), "a request does not end"
        return self.statuses


def test_what_is_done_to_servers_behind_haproxy(balancer, serve, places, make_gate, tmp_path):
    servers, load, seen = balancer
    table = Table(load)
    with table.row("nothing"):
        load.wait_more(600)

    with table.row("app1 is reloaded") as notes:
        before, since = set(servers["app1"].workers()), time.monotonic()
        servers["app1"].send(signal.SIGHUP)
        wait_until(lambda: len(now := set(servers["app1"].workers())) == 2 and not before & now, "new workers", 2 * LONG)
        load.wait_more(600)
        assert seen.seen("app1", "status", since) == ["UP"]
        notes.append("UP all the time")

    with table.row("app2 is upgraded") as notes:
        since = time.monotonic()
        upgrade(servers["app2"])
        load.wait_more(600)
        assert seen.seen("app2", "status", since) == ["UP"]
        notes.append("UP all the time")
    assert load.lost == []

    with table.row("app3 is overloaded") as notes:
        since = time.monotonic()
        held = Held(make_gate("overload"), 3 * PLACES // 2, ("127.0.0.1", places[2].port), places[2].inside())
        low = seen.wait("app3", lambda of: int(of["weight"]) <= 40, "its weight has fallen")
        assert low["status"] == "UP"
        shares = [int(before["stot"]) for before in map(seen.now().get, servers)]
        load.wait_more(600)
        shares = [int(seen.now()[name]["stot"]) - was for name, was in zip(servers, shares)]
        assert shares[2] < shares[0] and shares[2] < shares[1], shares
        assert held.end() == [200] * (3 * PLACES // 2)
        seen.wait("app3", lambda of: is_up(of, 90), "it is free again")
        lowest = min(int(weight) for weight in seen.seen("app3", "weight", since))
        notes.append(f"weight {lowest} of 100; requests that the three got then: {shares}")
    assert load.lost == []

    with table.row("app1 is stopped") as notes:
        since = time.monotonic()
        servers["app1"].send(signal.SIGTERM)
        seen.wait("app1", lambda of: of["status"].startswith("DRAIN"), "it is drained")
        notes.append(f"DRAIN after {time.monotonic() - since:.1f} s")
        assert servers["app1"].child.running
        assert servers["app1"].wait_exit(3 * LONG) == 0
        seen.wait("app1", lambda of: "DOWN" in of["status"] or of["check_status"].startswith("L4"), "it is gone")
        load.wait_more(600)
    assert load.lost == []

    with table.row("app1 is started again") as notes:
        since = time.monotonic()
        servers["app1"] = serve(places[0])
        seen.wait("app1", lambda of: is_up(of, 80), "it is back")
        notes.append(f"UP after {time.monotonic() - since:.1f} s")
        load.wait_more(600)
    assert load.lost == []

    with table.row("app2 is killed (SIGKILL, all its processes)") as notes:
        since = time.monotonic()
        # What may not be done twice: a GET would be asked of another server.
        held = Held(make_gate("kill"), 9, load.address, contextlib.nullcontext(), method="POST")
        monitor = Monitor(tmp_path / "app2.sock")
        paths = [each["path"] for each in monitor.json("/requests")["requests"]]
        there = paths.count("/hold")
        assert there > 0
        killed = [servers["app2"].pid, *servers["app2"].children()]
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        at = time.monotonic()
        seen.wait("app2", lambda of: "DOWN" in of["status"], "it is taken out")
        taken_out = time.monotonic() - at
        assert servers["app2"].wait_exit() == -signal.SIGKILL
        for pid in killed[1:]:
            # They have come to this process.
            os.waitpid(pid, 0)
        load.wait_more(600)
        statuses = held.end(gone=there)
        assert statuses.count(200) == 9 - there, statuses
        # Each client has one request at a time, and loses that at most.
        lost = load.lost_since(since)
        assert len(lost) <= load.clients, lost
        after = time.monotonic()
        load.wait_more(600)
        assert load.lost_since(after) == []
        notes.append(f"DOWN after {taken_out:.1f} s; it held {there} of 9 POSTs beside the load, which are lost; the others are answered")
    print("", "| | seconds | requests | lost | sent again | |", "|---|---|---|---|---|---|", *table.rows, sep="\n")
