#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How evenly connections are dealt out over four workers, and what the busy ones wait for it."""

import argparse
import collections
import os
import re
import selectors
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import measure
from servers import Contender, Running, Setup, unicoro

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 4
CONNECTIONS = 400
REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"
SLOW_PAUSE = 0.004
CALM = 0.4
WAIT = 30
EVERY_CORE = ",".join(map(str, sorted(os.sched_getaffinity(0))))

FOUR = ("-w", str(WORKERS))
CONTENDERS = [
    unicoro("unicoro -k sync", "pid_wsgi", "sync", *FOUR),
    unicoro("unicoro -k sync --reuse-port", "pid_wsgi", "sync", *FOUR, "--reuse-port"),
]


@dataclass
class Deal:
    """Who answered how often; of the busy case also how long answers took, in seconds."""

    shares: list[int]
    latency: tuple[float, float, float] | None = None  # median, p99, longest
    failed: int = 0

    @property
    def busiest(self) -> float:
        return max(self.shares) / (sum(self.shares) / WORKERS)


def wait_until_loaded(server: Running) -> None:
    """One worker answers, the others may still load the application."""
    before = -1.0
    while (used := measure.cpu_seconds(server.pid)) != before or len(measure.children(server.pid)) < WORKERS:
        before = used
        time.sleep(CALM)


def of_workers(answers: collections.Counter[bytes] | dict[bytes, int]) -> list[int]:
    counts = sorted(answers.values())
    return [0] * (WORKERS - len(counts)) + counts


@contextmanager
def connecting(port: int, count: int, pause: float) -> Iterator[list[socket.socket]]:
    """Connections that are begun one after the other, without waiting for the server."""
    socks = []
    try:
        for _ in range(count):
            sock = socket.socket()
            socks.append(sock)
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
            if pause:
                time.sleep(pause)
        yield socks
    finally:
        for sock in socks:
            sock.close()


def held(port: int, pause: float) -> Deal:
    """All are kept open; each is asked once, as soon as it stands."""
    answers: collections.Counter[bytes] = collections.Counter()
    with connecting(port, CONNECTIONS, pause) as socks, selectors.EpollSelector() as waiting:
        for sock in socks:
            waiting.register(sock, selectors.EVENT_WRITE)
        left = len(socks)
        while left:
            ready = waiting.select(WAIT)
            if not ready:
                raise RuntimeError(f"{left} connections have no answer")
            for key, events in ready:
                if events & selectors.EVENT_WRITE:
                    key.fileobj.send(REQUEST)
                    waiting.modify(key.fileobj, selectors.EVENT_READ)
                    continue
                answers[key.fileobj.recv(4096).rpartition(b"\r\n")[2]] += 1
                waiting.unregister(key.fileobj)
                left -= 1
    return Deal(of_workers(answers))


def busy(port: int, seconds: int) -> Deal:
    """400 clients, a connection for each request."""
    text = measure.wrk(port, EVERY_CORE, measure.Load(CONNECTIONS, script="workers.lua"), seconds)
    counts = {pid.encode(): int(count) for pid, count in re.findall(r"^worker (\d+) (\d+)$", text, re.M)}
    times = re.search(r"^latency (\d+) (\d+) (\d+)$", text, re.M)
    failed = sum(map(int, re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", text)))
    median, p99, longest = (int(each) / 1e6 for each in times.groups())
    return Deal(of_workers(counts), (median, p99, longest), failed)


CASES = {
    "slow": lambda port, seconds: held(port, SLOW_PAUSE),
    "burst": lambda port, seconds: held(port, 0),
    "busy": busy,
}


def rows(contender: Contender, setup: Setup, rounds: int, seconds: int, cases: list[str]) -> list[str]:
    lines = []
    for name in cases:
        deals = []
        for _ in range(rounds):
            with Running(contender, setup, EVERY_CORE) as server:
                wait_until_loaded(server)
                deals.append(CASES[name](server.port, seconds))
        deals.sort(key=lambda each: each.busiest)
        middle, worst = deals[len(deals) // 2], deals[-1]
        shares = " / ".join(f"{each:,}" for each in middle.shares)
        waits = "-"
        if middle.latency:
            found = [statistics.median(each.latency[index] for each in deals) * 1000 for index in range(3)]
            waits = f"{found[0]:.1f} / {found[1]:.1f} / {found[2]:.1f} ms"
            waits += f", {sum(each.failed for each in deals)} failed"
        lines.append(f"| {contender.name} | {name} | {shares} | {middle.busiest:.2f} | {worst.busiest:.2f} | {waits} |")
    return lines


def table(setup: Setup, rounds: int, seconds: int, chosen, cases: list[str] | None = None) -> list[str]:
    setup.connections = CONNECTIONS
    lines = [
        "| server | connections | shares of the workers | busiest to the mean | worst round "
        "| median / p99 / longest |", "|---|---|---|---:|---:|---|",
    ]
    for each in chosen(setup, CONTENDERS):
        lines += rows(each, setup, rounds, seconds, cases or list(CASES))
    setup.connections = Setup.connections
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--cases", default=",".join(CASES), help="some of %(default)s")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        setup = Setup(options.build.resolve(), options.python.absolute(), Path(folder))
        cases = options.cases.split(",")
        found = table(setup, options.rounds, options.seconds, lambda setup, all_: all_, cases)
    print("\n".join(found))


if __name__ == "__main__":
    main()
