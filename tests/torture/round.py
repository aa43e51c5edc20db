# SPDX-License-Identifier: MIT
"""One round: a server, clients that torture it, and what must be true when they have left."""

import signal
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import kinds
import plan
from client import Client, Only, Tally
from findings import Finding
from http_client import Weather
from plan import Round
from server import Victim
from watcher import Watcher

from harness import fleet, processes

# The longest that any request may take: body_timeout and linger, one behind the other, and a machine
# that is busy with sanitizers.
BOUND = 25.0
# How long the whole server may take beyond graceful_timeout.
MARGIN = 15.0
SETTLE = 12.0
# Memory that a round may add for good: caches fill, and sooner in a long warm-up.
LONG_ROUND = 15.0
GROWTH, GROWTH_BEHIND_SHORT_WARM_UP = 300_000, 1_000_000
GROWTH_PER_REQUEST = 60
# Generations of workers that serve the same for as long are as large, but for chance.
GROWTH_OF_GENERATIONS = 8_000_000


@dataclass
class Result:
    title: str
    seed: str
    kind: str
    tally: Tally = field(default_factory=Tally)
    server_ends: Counter = field(default_factory=Counter)  # (what the server was told, stage)
    descriptors: tuple[int, int] = (0, 0)  # at start and end
    memory: tuple[int, int] = (0, 0)
    seconds: float = 0.0

    @property
    def findings(self) -> list[Finding]:
        return self.tally.findings


class Playing:
    def __init__(self, what: Round, folder: Path, python: Path, sanitized: bool, only: Only, clients: int | None):
        self.what = what
        self.folder = folder
        self.python = python
        self.sanitized = sanitized
        self.only = only
        self.clients = clients or what.kind.clients
        self.result = Result(what.title, what.seed, what.kind.name)
        self.weather = Weather(
            what.request_timeout, what.hasty, workers_end=what.trouble != plan.CALM, encrypted=what.encrypted
        )
        self.random = Random(f"{what.seed}/{what.kind.name}/round")
        self.crowd: list[Client] = []
        self.generations: list[tuple[int, int]] = []  # master and worker, just before a reload
        self.watcher: Watcher | None = None

    def play(self) -> Result:
        began = time.monotonic()
        victim = Victim(self.what, self.folder, self.python, self.sanitized)
        try:
            self._play(victim)
        except AssertionError as why:
            self._note("server", "does not start", str(why))
        finally:
            self.weather.ending = True
            self._dismiss_watcher()
            for each in self.crowd:
                each.stop.set()
            victim.destroy()
            self._collect()
            fleet.end_orphans()
        seen = victim.findings()
        if any(each.what == "died" for each in seen):
            # Its requests were lost with it: one fault.
            self.result.tally.findings = [each for each in self.result.findings if each.what != "lost"]
        self.result.tally.findings += seen
        self.result.seconds = time.monotonic() - began
        return self.result

    def _play(self, victim: Victim) -> None:
        victim.start()
        if self.what.watched:
            self.watcher = Watcher(victim.admin, victim.agent, f"{self.what.seed}/{self.what.kind.name}")
            self.watcher.start()
        # Nobody stays behind of a warm-up in which nobody leaves early.
        whole = replace(self.only, ends=frozenset({kinds.COMPLETE}))
        share = 0.5 if self.what.seconds >= LONG_ROUND else 0.2
        self._crowd(victim, "warm-up", share * self.what.seconds, only=whole)
        settled = self._settled(victim)
        of_master = (len(victim.workers()), victim.master_descriptors())
        before = self._memory_now(victim)
        asked = self.result.tally.requests
        self._crowd(victim, "load", self.what.seconds, self.what.trouble)
        self._look_at_descriptors(victim, settled)
        self._look_at_workers(victim, *of_master)
        self._look_at_memory(victim, before, asked)
        self._look_at_generations()
        self._end(victim)

    def _dismiss_watcher(self) -> None:
        if self.watcher is None:
            return
        self.watcher.ending = True
        self.watcher.stop.set()
        self.watcher.join(BOUND)
        if self.watcher.is_alive():
            self._note("hang", "who asks the monitor does not end", self.what.title)
        elif self.watcher.asked == 0:
            self._note("monitor", "has told nothing", self.what.title)
        self.result.tally.findings += self.watcher.findings

    def _prefix(self) -> str:
        return self.what.kind.routes[0].prefix

    # load

    def _crowd(
        self, victim: Victim, name: str, seconds: float, trouble: str = plan.CALM, only: Only | None = None
    ) -> None:
        self._start_crowd(victim, name, only or self.only)
        self._trouble(victim, seconds, trouble)
        self._collect()

    def _start_crowd(self, victim: Victim, name: str, only: Only) -> None:
        self.crowd = [
            Client(number, self.what.kind, victim.address, f"{self.what.seed}/{self.what.kind.name}/{name}",
                   self.weather, BOUND, only)
            for number in range(self.clients)
        ]
        for each in self.crowd:
            each.start()

    def _collect(self) -> None:
        """Every client ends its last request, within its bound."""
        for each in self.crowd:
            each.stop.set()
        deadline = time.monotonic() + BOUND + 10
        for each in self.crowd:
            each.join(max(0.1, deadline - time.monotonic()))
            if each.is_alive():
                self._note("hang", "a client does not end", repr(each.running and each.running.script))
            self.result.tally.add(each.tally)
        self.crowd = []

    def _trouble(self, victim: Victim, seconds: float, trouble: str) -> None:
        end = time.monotonic() + seconds
        step = 0
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self.random.uniform(*self.what.interval)))
            step += 1
            if step % 4 == 0:
                victim.ask_what_runs()
            if trouble == plan.CALM or time.monotonic() > end - 0.3:
                continue
            self._count_stages(trouble)
            if trouble == plan.HUP:
                self.generations.append(victim.sizes())
                victim.send(signal.SIGHUP)
            elif trouble == plan.TTOU:
                victim.send(signal.SIGTTIN if step % 2 else signal.SIGTTOU)
            elif trouble == plan.TERM_WORKER:
                victim.term_worker()

    def _count_stages(self, told: str) -> None:
        for each in self.crowd:
            running = each.running
            if running is not None:
                self.result.server_ends[told, running.stage] += 1

    # what must be true

    def _settled(self, victim: Victim, most: dict[str, int] | None = None) -> dict[str, int]:
        """Descriptors when no client is left: as few as `most`, or as few as they stay."""
        deadline = time.monotonic() + SETTLE
        seen = victim.descriptors()
        lowest, since = seen, time.monotonic()
        while time.monotonic() < deadline:
            if most is not None and seen["all"] <= most["all"]:
                return seen
            if most is None and time.monotonic() - since > 1:
                return lowest
            time.sleep(0.1)
            seen = victim.descriptors()
            if seen["all"] < lowest["all"]:
                lowest, since = seen, time.monotonic()
        return seen

    def _look_at_descriptors(self, victim: Victim, before: dict[str, int]) -> None:
        if before["all"] == 0:
            # Its worker died in the warm-up.
            return
        after = self._settled(victim, before)
        if after["all"] > before["all"]:
            # That collects garbage, in whichever worker answers: eventlet's timeouts hold what waited in rings.
            for _ in range(5 * len(victim.workers())):
                self._memory_now(victim)
            after = self._settled(victim, before)
        self.result.descriptors = (before["all"], after["all"])
        if after["all"] > before["all"]:
            sort = "sockets" if after["sockets"] > before["sockets"] else "files"
            self._note("descriptors", f"{sort} stay", f"{self.what.title}: before {before}, after {after}")

    def _look_at_workers(self, victim: Victim, workers: int, descriptors: int) -> None:
        """Those that were told to end are gone, and the master holds nothing for them."""
        most = self.what.settings["workers"] + (self.what.trouble == plan.TTOU)
        deadline = time.monotonic() + self.what.settings["graceful_timeout"] + MARGIN
        # The master learns a moment later that one has ended.
        def keeps_some() -> bool:
            return len(victim.workers()) == workers and victim.master_descriptors() > descriptors

        while (len(victim.workers()) > most or keeps_some()) and time.monotonic() < deadline:
            time.sleep(0.1)
        if len(victim.workers()) > most:
            self._note("end", "a worker that was told to end is still there", self.what.title)
        elif keeps_some():
            detail = f"{self.what.title}: {descriptors} before, {victim.master_descriptors()} after"
            self._note("descriptors", "the master keeps some", detail)

    def _look_at_memory(self, victim: Victim, before: dict | None, asked: int) -> None:
        after = self._memory_now(victim)
        if before is None or after is None or before["pid"] != after["pid"] or not self.sanitized:
            return
        self.result.memory = (before["allocated"], after["allocated"])
        if not self._grew(before, after, asked):
            return
        # Caches fill once, threads begin once; what is left behind is left again.
        asked = self.result.tally.requests
        self._crowd(victim, "load again", self.what.seconds)
        self._settled(victim)
        again = self._memory_now(victim)
        if again is not None and self._grew(after, again, asked):
            self._note("memory", "grows", f"{self.what.title}, twice: {before}, {after}, {again}")

    def _memory_now(self, victim: Victim) -> dict | None:
        state = victim.state(self._prefix())
        if state is None:
            self._note("server", "does not answer when its clients have left", self.what.title)
        return state

    def _grew(self, before: dict, after: dict, asked: int) -> bool:
        most = GROWTH if self.what.seconds >= LONG_ROUND else GROWTH_BEHIND_SHORT_WARM_UP
        requests = self.result.tally.requests - asked
        return after["allocated"] - before["allocated"] > most + GROWTH_PER_REQUEST * requests

    def _look_at_generations(self) -> None:
        third = len(self.generations) // 3
        if self.sanitized or third == 0:
            return
        for place, name in enumerate(("master", "worker")):
            sizes = [each[place] for each in self.generations]
            first, last = sum(sizes[:third]) / third, sum(sizes[-third:]) / third
            if last > first + GROWTH_OF_GENERATIONS:
                self._note("memory", f"each {name} is larger than the one before", f"{self.what.title}: {sizes}")
        self.result.memory = (self.generations[0][1], self.generations[-1][1])

    def _end(self, victim: Victim) -> None:
        """The server is told to end with all its clients at work."""
        self.weather.ending = False
        self._start_crowd(victim, "end", self.only)
        time.sleep(self.random.uniform(0.5, 1.2))
        for _ in range(20):
            if not victim.workers():
                time.sleep(0.1)
        self.weather.ending = True
        if self.watcher is not None:
            self.watcher.ending = True
        gently = self.what.final == signal.SIGTERM
        graceful = self.what.settings["graceful_timeout"] if gently else 0
        self._count_stages("graceful_timeout" if gently and self.what.hasty else self.what.final.name)
        victim.send(self.what.final)
        code = victim.wait_exit(graceful + MARGIN)
        for each in self.crowd:
            each.stop.set()
        if code is None:
            left = [processes.title(pid) for pid in victim.workers()]
            self._note("end", f"the server does not end by {self.what.final.name}", f"left: {left}")
        elif code != 0:
            self._note("end", f"exit code {code} by {self.what.final.name}", self.what.title)
        self._look_at_lifespan(victim)
        self._collect()

    def _look_at_lifespan(self, victim: Victim) -> None:
        if not self.what.kind.lifespan or self.what.final != signal.SIGTERM or self.what.hasty:
            return
        told = victim.lifespans()
        lost = told["lifespan.startup"] - told["lifespan.shutdown"]
        if lost:
            self._note("lifespan", "no shutdown", f"{self.what.title}: workers {sorted(lost)} got no shutdown")

    def _note(self, what: str, name: str, detail: str) -> None:
        self.result.tally.findings.append(Finding(what, name, detail))
