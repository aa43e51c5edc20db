# SPDX-License-Identifier: MIT
"""How long requests take while the workers are replaced (HUP in the middle of the load), and without that."""

import os
import re
import signal
import statistics
import subprocess
import threading
from dataclasses import dataclass

import measure
from servers import Contender, Running, Setup, granian, gunicorn, unicoro

LOAD = measure.Load(16)
CONTENDERS = [
    unicoro("unicoro Flask -k async", "hello_flask", "async", "-w", "2", modules=("flask", "gevent")),
    gunicorn("gunicorn Flask -k gevent", "hello_flask", "-w", "2", modules=("flask",)),
    granian("granian Flask", "hello_flask", "wsgi", "--no-ws", "--workers", "2"),
]


@dataclass
class Latency:
    p99: float
    longest: float
    failed: int


def _seconds(text: str, pattern: str) -> float:
    found = re.search(pattern, text, re.M)
    return float(found[1]) * measure.unit(found[2])


def measure_one(contender: Contender, setup: Setup, server_core: int, core: int, seconds: int, reload: bool) -> Latency:
    with Running(contender, setup, server_core) as server:
        measure.wrk(server.port, core, LOAD, 1)
        hup = threading.Timer(seconds / 2, os.kill, (server.pid, signal.SIGHUP))
        if reload:
            hup.start()
        try:
            text = measure.wrk(server.port, core, LOAD, seconds, "--latency")
        except subprocess.SubprocessError:
            hup.cancel()
            raise
    failed = sum(map(int, re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", text)))
    return Latency(
        _seconds(text, r"^\s+99%\s+([\d.]+)(us|ms|s|m)"),
        _seconds(text, r"^\s+Latency\s+\S+\s+\S+\s+([\d.]+)(us|ms|s|m)"),
        failed,
    )


def _cells(all_: list[Latency]) -> str:
    p99 = statistics.median(each.p99 for each in all_) * 1000
    longest = statistics.median(each.longest for each in all_) * 1000
    return f"{p99:.2f} ms | {longest:.1f} ms | {sum(each.failed for each in all_)}"


def table(setup: Setup, cores: tuple[int, int], rounds: int, seconds: int, chosen) -> list[str]:
    found: dict[str, tuple[list[Latency], list[Latency]]] = {}
    contenders = chosen(setup, CONTENDERS)
    for _ in range(rounds):
        for each in contenders:
            without, with_ = found.setdefault(each.name, ([], []))
            without.append(measure_one(each, setup, *cores, seconds, False))
            with_.append(measure_one(each, setup, *cores, seconds, True))
    lines = [
        "| server | 99 % take at most | longest | failed | with a reload | longest | failed |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    return lines + [f"| {name} | {_cells(without)} | {_cells(with_)} |" for name, (without, with_) in found.items()]
