#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares servers by what they do per CPU-second, by memory and by how long requests take.

The server runs on one core and the load on another. Contenders take turns in many short rounds, so that a
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

import fairness
import measure
import picture
import processes
import reloading
import waiting
from sections import SECTIONS, Section
from servers import Contender, Running, Setup

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
PICTURE = RESULTS.with_name("results.svg")
SERVER_CORE, CLIENT_CORE = 0, 1
IDLE_GOAL = 2048
OTHERS = {
    "idle": "Idle connections",
    "waiting": "Many requests that wait",
    "reload": "A reload under load",
    "processes": "Workers that start, and memory",
    "fairness": "Four workers and who gets the connections",
}
KEYS = [each.key for each in SECTIONS] + list(OTHERS)

Samples = dict[str, list[measure.Sample]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="build folder (build)")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python",
                        help="interpreter with flask, gunicorn and gevent (.venv/bin/python)")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=int, default=2, help="length of a measured load")
    parser.add_argument("--sections", default="", help=f"some of: {', '.join(KEYS)}")
    parser.add_argument("--only", default="", help="contenders whose name contains one of these words, "
                        "with commas between them")
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections")
    parser.add_argument("--idle-peer", type=int, default=2_000, help="the same for gunicorn")
    parser.add_argument("--waiting", type=int, default=2_000, help="requests that wait at once")
    parser.add_argument("--quick", action="store_true", help="one short round of each: does it all run?")
    parser.add_argument("--write", action="store_true",
                        help=f"write {RESULTS.relative_to(ROOT)} and {PICTURE.relative_to(ROOT)}")
    options = parser.parse_args()
    options.sections = [key.strip() for key in options.sections.split(",") if key.strip()] or KEYS
    unknown = set(options.sections) - set(KEYS)
    if unknown:
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    if options.write and (options.only or options.quick or set(options.sections) != set(KEYS)):
        parser.error("what is written is a whole run: no --sections, --only or --quick")
    if options.quick:
        options.rounds = options.seconds = 1
        options.idle = options.idle_peer = options.waiting = 200
    return options


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def chooser(only: str):
    """Of contenders those that are named, and can run here."""
    words = [word.strip() for word in only.split(",") if word.strip()]

    def choose(setup: Setup, contenders: list[Contender]) -> list[Contender]:
        found = []
        for each in contenders:
            if words and not any(word in each.name for word in words):
                continue
            if each.needs(setup):
                found.append(each)
            else:
                say(f"left out, not installed: {each.name}")
        return found

    return choose


def measure_section(options, setup: Setup, section: Section, contenders: list[Contender]) -> Samples:
    samples: Samples = {each.name: [] for each in contenders}
    for number in range(1, options.rounds + 1):
        for each in contenders:
            if each.is_loop:
                sample = measure.loop(each.command(setup, options.seconds), SERVER_CORE)
            else:
                with Running(each, setup, SERVER_CORE) as server:
                    sample = measure.under(section.load, server, CLIENT_CORE, options.seconds)
            samples[each.name].append(sample)
            say(f"{section.key} {number}/{options.rounds}  {each.name:31} {sample.per_cpu_second:9.0f} per CPU-s"
                f"  {sample.per_second:9.0f} per s  CPU {sample.cpu / sample.seconds:4.0%}")
    return samples


def ratios(samples: Samples, name: str, peer: str) -> list[float]:
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


def section_table(section: Section, samples: Samples) -> list[str]:
    part = " of the baseline (quartiles) |" if section.base else ""
    lines = [f"| server | {section.what} per CPU-second |{part} {section.what} per second |",
             f"|---|---:|{'---:|' if section.base else ''}---:|"]
    for name, all_ in samples.items():
        speed = statistics.median(sample.per_cpu_second for sample in all_)
        rate = statistics.median(sample.per_second for sample in all_)
        of_base = f" {middle(ratios(samples, name, section.base))} |" if section.base else ""
        lines.append(f"| {name} | {speed:,.0f} |{of_base} {rate:,.0f} |")
    goals = []
    for name, peer, wanted in section.goals:
        measured = ratios(samples, name, peer)
        if not measured:
            continue
        missed = wanted is not None and statistics.median(measured) < wanted
        goals.append(f"| {name} to {peer} | {'-' if wanted is None else f'{wanted:.2f}'} "
                     f"| {middle(measured)}{' (missed)' if missed else ''} |")
    if goals:
        lines += ["", "| one to the other | wanted | measured (quartiles) |", "|---|---:|---:|", *goals]
    return lines


def measure_idle(options, setup: Setup, choose) -> list[str]:
    lines = ["| server | connections | resident bytes of the worker for each |", "|---|---:|---:|"]
    hello = next(each for each in SECTIONS if each.key == "hello")
    compared = [each for each in hello.contenders if each.name in ("unicoro native", "gunicorn WSGI -k gevent")]
    for each in choose(setup, compared):
        count = options.idle if each.name.startswith("unicoro") else options.idle_peer
        setup.connections = count
        with Running(each, setup, SERVER_CORE) as server:
            size = measure.idle_bytes(server, count)
        missed = each.name.startswith("unicoro") and size > IDLE_GOAL
        lines.append(f"| {each.name} | {count:,} | {size:,.0f}{' (missed)' if missed else ''} |")
        say(lines[-1])
    setup.connections = Setup.connections
    return [
        "Kept alive after one request each; the slope of the worker's resident memory over their number.", "",
        *lines, "", f"The goal for unicoro is at most {IDLE_GOAL:,} bytes.",
    ]


def measure_other(options, setup: Setup, choose, key: str) -> list[str]:
    say(f"{key}: {OTHERS[key]}")
    if key == "idle":
        measure.raise_descriptor_limit(options.idle + 1000)
        return measure_idle(options, setup, choose)
    if key == "waiting":
        return waiting.table(setup.build, setup.python, options.waiting, min(options.rounds, 5))
    cores = (SERVER_CORE, CLIENT_CORE)
    if key == "reload":
        seconds = max(options.seconds * 2, 3)
        return [
            f"2 workers, 16 clients for {seconds} s, HUP in the middle of it; `failed` are all rounds'.", "",
            *reloading.table(setup, cores, min(options.rounds, 5), seconds, choose),
        ]
    if key == "fairness":
        return [
            f"{fairness.CONNECTIONS} connections that come one by one and stay (slow), all at once and stay (burst), "
            "and as many clients with a new one for each request (busy). Load and server use all cores.", "",
            *fairness.table(setup, min(options.rounds, 5), max(options.seconds, 3), choose),
        ]
    return [
        "A worker that was killed is replaced; the one application is the hello of above.", "",
        *processes.table(setup, cores, min(options.rounds, 7), choose),
    ]


def machine() -> str:
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def report(options, parts: list[tuple[str, list[str]]]) -> str:
    lines = [
        "# What it costs to serve", "",
        f"{datetime.date.today().isoformat()}; {machine()}.", "",
        f"wrk with 1 thread, by default with 64 connections, for {options.seconds} s, "
        f"{options.rounds} rounds in turn; medians, ratios of the same round. "
        f"The server is on core {SERVER_CORE}, the load on core {CLIENT_CORE}. CPU-seconds are user "
        "and system time of all processes of the server. Made by `bench/run.py --write`.",
    ]
    for title, text in parts:
        lines += ["", f"## {title}", "", *text]
    return "\n".join(lines) + "\n"


def main() -> int:
    options = arguments()
    if shutil.which("wrk") is None or (os.cpu_count() or 1) < 2:
        say("wrk and two cores are needed (apt-get install wrk)")
        return 2
    choose = chooser(options.only)
    parts: list[tuple[str, list[str]]] = []
    with tempfile.TemporaryDirectory(prefix="unicoro-bench-") as folder:
        # Not resolved: a virtual environment is known by the path of its link to the interpreter.
        setup = Setup(options.build.resolve(), options.python.absolute(), Path(folder))
        os.chmod(folder, 0o755)
        for section in SECTIONS:
            if section.key not in options.sections:
                continue
            samples = measure_section(options, setup, section, choose(setup, section.contenders))
            how = [section.how, ""] if section.how else []
            parts.append((section.title, how + section_table(section, samples)))
        for key, title in OTHERS.items():
            if key in options.sections:
                parts.append((title, measure_other(options, setup, choose, key)))
    text = report(options, parts)
    print(text)
    if options.write:
        RESULTS.write_text(text)
        PICTURE.write_text(picture.draw(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
