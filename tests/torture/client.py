# SPDX-License-Identifier: MIT
"""A client that asks at random until it is told to stop, and notes what it meets."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import http2_client
import http2_tunnel
import http_client
import kinds
import script
import websocket_client
from answers import Lost, Wrong
from findings import Finding
from http_client import Weather
from kinds import Kind, Route
from plan import FILE, FILES
from wire import Broken, Closed, Hang, Wire

MULTIPLEXED = 0.25  # of the connections: by HTTP/2
PIPELINED = 0.07  # of the others
PIPELINED_BYTES = 400_000  # behind the first request
PAUSES = (0, 0, 0, 0.0005, 0.002, 0.01)
ANNOUNCED = 0.3  # of the connections: by the PROXY protocol
ANNOUNCED_IN_PART = 0.1  # of these, which end before the header does
ANNOUNCEMENTS = (
    b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n",
    b"PROXY UNKNOWN\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x14" + bytes([192, 0, 2, 7, 198, 51, 100, 1, 156, 64, 1, 187])
    + b"\x02\0\x05a.xyz",
)


BEGUN_IN_PART = 0.05  # of the TLS handshakes
HELLO = b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03" + b"r" * 32 + b"\0\0\2\x13\1\1\0\0\5\0\x2b\0\1\0"


OF_FILES = 0.05  # of the requests
FILES_LEFT = 0.3  # of these, in the middle of their answer


@dataclass(frozen=True)
class Only:
    """What clients are narrowed to; empty sets are everything."""

    acts: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()  # acts
    ends: frozenset[str] = frozenset()


@dataclass
class Tally:
    """Of one round, from all its clients."""

    requests: int = 0
    cells: Counter = field(default_factory=Counter)  # (end, stage)
    refusals: Counter = field(default_factory=Counter)  # (status, stage)
    outcomes: Counter = field(default_factory=Counter)
    by_act: Counter = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.requests += other.requests
        self.cells += other.cells
        self.refusals += other.refusals
        self.outcomes += other.outcomes
        self.by_act += other.by_act
        self.findings += other.findings


class Client(threading.Thread):
    def __init__(self, number: int, kind: Kind, address, seed: str, weather: Weather, bound: float, only: Only):
        super().__init__(daemon=True, name=f"client {number}")
        self.number = number
        self.kind = kind
        self.address = address
        self.random = Random(f"{seed}/{number}")
        self.weather = weather
        self.bound = bound
        self.only = only
        self.tally = Tally()
        self.stop = threading.Event()
        self.running = None  # the exchange that is under way
        self._made = 0
        self._routes = [route for route in kind.routes if self._acts(route)]

    def _acts(self, route: Route) -> list[tuple]:
        """(act, how it is performed) pairs that may be asked for."""
        performers = [(act, http_client.Exchange) for act in route.acts]
        performers += [(act, websocket_client.Talk) for act in route.websockets]
        return [
            each for each in performers
            if (not self.only.acts or each[0].name in self.only.acts)
            and each[0].name not in self.only.without
            and (not each[0].needs_timeout or self.weather.request_timeout)
            # Who never leaves can ask for nothing that never ends.
            and not (each[0].leaves and self.only.ends == {kinds.COMPLETE})
        ]

    def run(self) -> None:
        while not self.stop.is_set():
            self.random.choice(PAUSES) and time.sleep(self.random.choice(PAUSES))
            try:
                wire = Wire(self.address, self.bound)
            except OSError as why:
                if self.weather.ending:
                    return
                self._note("refused connection", f"connect: {why}")
                time.sleep(0.2)
                continue
            try:
                self._connection(wire)
            finally:
                self.running = None
                wire.close()

    def _announce(self, wire: Wire) -> bool:
        """As a load balancer would, now and then; False when nothing follows."""
        if self.random.random() >= ANNOUNCED:
            return True
        header = self.random.choice(ANNOUNCEMENTS)
        whole = self.random.random() >= ANNOUNCED_IN_PART
        wire.send(header if whole else header[: self.random.randrange(1, len(header))])
        return whole

    def _encrypt(self, wire: Wire, protocol: str) -> bool:
        """False when nothing follows."""
        if not self.weather.encrypted:
            return True
        if self.random.random() < BEGUN_IN_PART:
            wire.send(HELLO[: self.random.randrange(1, len(HELLO))])
            return False
        try:
            wire.encrypt(protocol)
        except Hang as why:
            self._note("hang", "handshake", str(why))
            return False
        except Closed:
            return False
        return True

    def _connection(self, wire: Wire) -> None:
        multiplexed = self.random.random() < MULTIPLEXED
        if not self._announce(wire) or not self._encrypt(wire, "h2" if multiplexed else "http/1.1"):
            return
        if multiplexed:
            return self._multiplex(wire)
        if self.random.random() < PIPELINED:
            return self._pipeline(wire)
        first = True
        while not self.stop.is_set():
            wire.again()
            if self.random.random() < OF_FILES:
                if not self._file(wire):
                    return
                first = False
                continue
            asked, perform = self._draw()
            self.running = perform(wire, asked, self.weather, self.random, first)
            outcome = self._judged(asked, self.running.perform)
            self._count(asked, outcome)
            if asked.end != kinds.COMPLETE or not asked.keep or not self._goes_on(outcome):
                return
            first = False

    def _file(self, wire: Wire) -> bool:
        """Asks for a part of the server's own file; True when the connection carries another request."""
        begin = self.random.randrange(len(FILE))
        end = self.random.randrange(begin, len(FILE))
        wire.send(f"GET {FILES}/data HTTP/1.1\r\nHost: x\r\nRange: bytes={begin}-{end}\r\n\r\n".encode())
        self.tally.requests += 1
        try:
            head = wire.head()
            if self.only.ends != {kinds.COMPLETE} and self.random.random() < FILES_LEFT:
                return False
            body = b"".join(wire.body(head))
        except Hang as why:
            self._note("hang", "a file", str(why))
        except Broken as why:
            self._note("framing", "a file", str(why))
        except (Closed, OSError):
            pass
        else:
            if head.status == 206 and body == FILE[begin : end + 1]:
                wire.history.append("206 for a file")
                return (head.one("connection") or "").lower() != "close"
            # Out of time, or of a worker that ends.
            if head.status not in (503, 504):
                self._note("wrong answer", "a file", f"{head.status} with {len(body)} bytes for {begin}-{end}")
        return False

    def _goes_on(self, outcome: str) -> bool:
        """May the connection carry another request?"""
        whole = outcome in (http_client.ANSWERED, http_client.REFUSED)
        return whole and self.running.keeps and not self.running.wire.ended

    def _count(self, asked: script.Script, outcome: str) -> None:
        self.tally.requests += 1
        self.tally.cells[asked.end, asked.stage] += 1
        if self.running.refused_with:
            self.tally.refusals[self.running.refused_with, asked.stage] += 1
        self.tally.outcomes[outcome] += 1
        self.tally.by_act[asked.act.name, asked.end, asked.stage] += 1

    def _pipeline(self, wire: Wire) -> None:
        """Several whole requests in one piece, none of them a WebSocket."""
        drawn = [self._draw() for _ in range(self.random.randint(2, 4))]
        scripts = [
            asked.whole(kept=True) for asked, perform in drawn
            if perform is http_client.Exchange and not asked.act.leaves
        ]
        # A server that closes behind one of them reads no more than it must of what follows.
        while sum(asked.body_size for asked in scripts[1:]) > PIPELINED_BYTES:
            scripts.pop()
        if not scripts:
            return
        scripts[-1] = scripts[-1].whole(kept=False)
        try:
            taken = wire.send(b"".join(asked.head() + asked.framed_body() for asked in scripts))
        except Hang:
            # One that is answered without being read may keep those behind it waiting, and closes.
            taken = False
        for asked in scripts:
            self.running = http_client.Exchange(wire, asked, self.weather, self.random, first=not wire.history)
            outcome = self._judged(asked, lambda: self.running.hear(taken))
            self._count(asked, outcome)
            if not self._goes_on(outcome):
                return

    def _multiplex(self, wire: Wire) -> None:
        """Several requests at a time, or a WebSocket."""
        drawn = [self._draw() for _ in range(self.random.randint(1, http2_client.MOST))]
        asked, perform = drawn[0]
        if perform is websocket_client.Talk and self.kind.tunnels:
            return self._tunnel(wire, asked)
        scripts = [asked for asked, perform in drawn if perform is http_client.Exchange and self._may_share(asked)]
        if not scripts:
            return
        self.running = visit = http2_client.Visit(wire, scripts, self.weather, self.random)
        outcomes = self._judged(scripts[0], visit.perform)
        if isinstance(outcomes, str):
            outcomes = [(scripts[0], outcomes)]
        for asked, outcome in outcomes:
            self._count(asked, outcome)

    def _tunnel(self, wire: Wire, asked: script.Script) -> None:
        tunnel = http2_tunnel.Tunnel(wire)
        self.running = http2_tunnel.TunneledTalk(tunnel, asked, self.weather, self.random, first=True)
        self._count(asked, self._judged(asked, self.running.perform))

    def _may_share(self, asked: script.Script) -> bool:
        """Who never ends by itself is left by its client alone."""
        return not asked.act.leaves or asked.end == kinds.RESET

    def _draw(self):
        route = self.random.choice(self._routes)
        possible = self._acts(route)
        act, perform = self.random.choices(possible, [act.weight for act, _ in possible])[0]
        self._made += 1
        mark = f"c{self.number:03}-{self._made:06}"
        return script.draw(self.random, route, mark, act, self.only.ends), perform

    def _judged(self, asked: script.Script, perform):
        """What `perform` returns, or how it failed."""
        try:
            return perform()
        except Hang as why:
            self._note("hang", f"{asked.act.name}, {asked.end} at {asked.stage}", f"{self._where(asked)}: {why}")
            return "hang"
        except Lost as why:
            self._note("lost", asked.act.name, f"{self._where(asked)}: {why}")
            return "lost"
        except Wrong as why:
            what = "mixed up" if str(why).startswith("mixed up") else "wrong answer"
            self._note(what, asked.act.name, f"{self._where(asked)}: {why}")
            return what
        except Broken as why:
            self._note("framing", asked.act.name, f"{self._where(asked)}: {why}")
            return "broken"
        except Closed:
            return http_client.CUT
        except OSError:
            # Of a connection that the server has reset.
            return http_client.CUT

    def _where(self, asked: script.Script) -> str:
        where = f"{asked.target} ({asked.framing} {asked.body_size}{', expects 100' * asked.expect}"
        where += f"{', keeps' * asked.keep}, {asked.fragments} fragments; {asked.end} at {asked.stage}"
        if self.running.wire.history:
            where += f"; behind {', '.join(self.running.wire.history)}"
        where += f"; {self.running.wire.end}" if self.running.wire.end else ""
        where += f") after {self.running.wire.elapsed:.1f} s, at {time.strftime('%H:%M:%S')}"
        return where

    def _note(self, what: str, name: str, detail: str = "") -> None:
        self.tally.findings.append(Finding(what, name, detail or name))
