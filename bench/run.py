#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares servers by requests per CPU-second and by memory per idle connection.

The server runs on one core and wrk on another. Contenders take turns in many short rounds, so that a
disturbance of the machine meets all of them, and what counts is the median of the ratios of each
round. Only ratios within one run mean anything.
"""

import argparse
import datetime
import os
import platform
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import measure
import waiting
from servers import CONTENDERS, Contender, Running, Setup

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
SERVER_CORE, CLIENT_CORE = 0, 1
GOALS = [
    ("unicoro native", "epoll baseline", 0.80),
    ("unicoro native", "nginx return 200", 0.95),
    ("unicoro WSGI -k sync", "gunicorn WSGI -k gevent", 8.0),
    ("unicoro WSGI -k async", "gunicorn WSGI -k gevent", 8.0),
    ("unicoro WSGI -k async", "bjoern WSGI", 1.0),
    ("unicoro Flask -k sync", "gunicorn Flask -k gevent", None),
    ("unicoro Flask -k async", "gunicorn Flask -k gevent", 2.4),
    ("unicoro Flask -k async", "Flask in a bare loop", 0.9),
    ("unicoro Flask -k async", "Flask in a bare loop, libpython", 0.9),
    ("unicoro Flask -k async", "bjoern Flask", None),
    ("bjoern Flask", "Flask in a bare loop", None),
    ("unicoro ASGI", "uvicorn uvloop httptools", 1.6),
    ("unicoro ASGI", "granian ASGI", 1.0),
]
IDLE_GOAL = 2048


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="build folder (build)")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python",
                        help="interpreter with flask, gunicorn and gevent (.venv/bin/python)")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=int, default=2, help="length of a measured load")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", default="", help="contenders whose name contains one of these words, "
                        "with commas between them")
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections; 0 = do not measure")
    parser.add_argument("--idle-peer", type=int, default=2_000, help="the same for gunicorn")
    parser.add_argument("--waiting", type=int, default=2_000, help="requests that wait at once; 0 = do not measure")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    return parser.parse_args()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def chosen(setup: Setup, only: str) -> list[Contender]:
    words = [word.strip() for word in only.split(",") if word.strip()]
    found = []
    for each in CONTENDERS:
        if words and not any(word in each.name for word in words):
            continue
        if each.needs(setup):
            found.append(each)
        else:
            say(f"left out, not installed: {each.name}")
    return found


def measure_speed(options, setup, contenders) -> dict[str, list[measure.Sample]]:
    samples: dict[str, list[measure.Sample]] = {each.name: [] for each in contenders}
    for number in range(1, options.rounds + 1):
        for each in contenders:
            if each.kind == "loop":
                sample = measure.loop(each.command(setup, options.seconds), SERVER_CORE)
            else:
                with Running(each, setup, SERVER_CORE) as server:
                    sample = measure.load(server, CLIENT_CORE, options.connections, options.seconds)
            samples[each.name].append(sample)
            say(f"round {number}/{options.rounds}  {each.name:26} {sample.per_cpu_second:9.0f} per CPU-s"
                f"  {sample.per_second:9.0f} per s  CPU {sample.cpu / sample.seconds:4.0%}")
    return samples


def ratios(samples: dict[str, list[measure.Sample]], name: str, peer: str) -> list[float]:
    """One contender to another, round by round: a disturbance that lasts longer than a round does not
    count then."""
    pairs = zip(samples.get(name, []), samples.get(peer, []))
    return [one.per_cpu_second / other.per_cpu_second for one, other in pairs]


def middle(values: list[float]) -> str:
    """Median and, when there are enough values, the quartiles around it."""
    if not values:
        return "-"
    text = f"{statistics.median(values):.2f}"
    if len(values) < 4:
        return text
    low, _, high = statistics.quantiles(values, n=4)
    return f"{text} ({low:.2f} to {high:.2f})"


def speed_table(samples: dict[str, list[measure.Sample]]) -> list[str]:
    lines = ["| server | requests per CPU-second | of the baseline (quartiles) | requests per second |",
             "|---|---:|---:|---:|"]
    for name, all_ in samples.items():
        speed = statistics.median(sample.per_cpu_second for sample in all_)
        rate = statistics.median(sample.per_second for sample in all_)
        of_base = middle(ratios(samples, name, "epoll baseline"))
        lines.append(f"| {name} | {speed:,.0f} | {of_base} | {rate:,.0f} |")
    lines += ["", "| one to the other | wanted | measured (quartiles) |", "|---|---:|---:|"]
    for name, peer, wanted in GOALS:
        measured = ratios(samples, name, peer)
        if not measured:
            continue
        missed = wanted is not None and statistics.median(measured) < wanted
        lines.append(f"| {name} to {peer} | {'-' if wanted is None else f'{wanted:.2f}'} "
                     f"| {middle(measured)}{' (missed)' if missed else ''} |")
    return lines


def measure_idle(options, setup, contenders) -> list[str]:
    lines = ["| server | connections | resident bytes of the worker for each |", "|---|---:|---:|"]
    for each in contenders:
        if each.name not in ("unicoro native", "gunicorn WSGI -k gevent"):
            continue
        count = options.idle if each.name.startswith("unicoro") else options.idle_peer
        setup.connections = count
        with Running(each, setup, SERVER_CORE) as server:
            size = measure.idle_bytes(server, count)
        missed = each.name.startswith("unicoro") and size > IDLE_GOAL
        lines.append(f"| {each.name} | {count:,} | {size:,.0f}{' (missed)' if missed else ''} |")
        say(lines[-1])
    lines += ["", f"The goal for unicoro is at most {IDLE_GOAL:,} bytes."]
    return lines


def machine() -> str:
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def report(options, speed: list[str], idle: list[str], waits: list[str]) -> str:
    lines = [
        "# What it costs to serve", "",
        f"{datetime.date.today().isoformat()}; {machine()}.", "",
        f"wrk with 1 thread and {options.connections} connections for {options.seconds} s, "
        f"{options.rounds} rounds in turn; medians, ratios of the same round. "
        f"The server is on core {SERVER_CORE}, wrk on core {CLIENT_CORE}. CPU-seconds are user "
        "and system time of all processes of the server. Made by `bench/run.py --write`.", "", *speed,
    ]
    if idle:
        lines += ["", "## Idle connections", "",
                  "Kept alive after one request each; the slope of the worker's resident memory over "
                  "their number.", "", *idle]
    if waits:
        lines += ["", "## Requests that wait", "", *waits]
    return "\n".join(lines) + "\n"


def main() -> int:
    options = arguments()
    if shutil.which("wrk") is None or (os.cpu_count() or 1) < 2:
        say("wrk and two cores are needed (apt-get install wrk)")
        return 2
    if options.idle:
        measure.raise_descriptor_limit(options.idle + 1000)
    with tempfile.TemporaryDirectory(prefix="unicoro-bench-") as folder:
        # Not resolved: a virtual environment is known by the path of its link to the interpreter.
        setup = Setup(options.build.resolve(), options.python.absolute(), Path(folder))
        os.chmod(folder, 0o755)
        contenders = chosen(setup, options.only)
        speed = speed_table(measure_speed(options, setup, contenders)) if options.rounds else []
        idle = measure_idle(options, setup, contenders) if options.idle else []
    waits = []
    if options.waiting and not options.only:
        waits = waiting.table(options.build.resolve(), options.python.absolute(), options.waiting, 5)
    text = report(options, speed, idle, waits)
    print(text)
    if options.write:
        RESULTS.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
