#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Requests that wait: how long many of them take together, what memory each holds, and what is left
after many connections one after the other. One worker under -k async, and gunicorn -k gevent beside it."""

import argparse
import os
import resource
import selectors
import socket
import statistics
import tempfile
import time
from pathlib import Path

from servers import Running, Setup, gunicorn, unicoro

ROOT = Path(__file__).resolve().parents[1]
CONTENDERS = [
    unicoro("unicoro -k async", "sleeping_wsgi", "async"),
    gunicorn("gunicorn -k gevent", "sleeping_wsgi"),
]


def worker_of(master: int) -> int:
    return int(Path(f"/proc/{master}/task/{master}/children").read_text().split()[0])


def resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def request(seconds: float) -> bytes:
    return f"GET /?{seconds} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def connect(port: int, count: int) -> list[socket.socket]:
    return [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(count)]


def read_answer(sock: socket.socket) -> None:
    """gunicorn sends head and body apart."""
    answer = b""
    while not answer.endswith(b"slept\n"):
        piece = sock.recv(4096)
        if not piece:
            raise RuntimeError(f"no whole answer: {answer!r}")
        answer += piece
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"an answer is not 200: {answer!r}")


def ask_together(socks: list[socket.socket], seconds: float) -> float:
    """Sends on all, waits for all answers."""
    begin = time.monotonic()
    with selectors.EpollSelector() as waiting:
        for sock in socks:
            sock.sendall(request(seconds))
            waiting.register(sock, selectors.EVENT_READ)
        left = len(socks)
        while left:
            ready = waiting.select(30)
            if not ready:
                raise RuntimeError(f"{left} requests have no answer")
            for key, _ in ready:
                read_answer(key.fileobj)
                waiting.unregister(key.fileobj)
                left -= 1
    return time.monotonic() - begin


def settled_descriptors(pid: int, wanted: int) -> int:
    """The server sees an end a moment after the client made it."""
    deadline = time.monotonic() + 5
    while descriptors(pid) > wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    return descriptors(pid)


def measure(running: Running, count: int, rounds: int) -> list[str]:
    worker = worker_of(running.pid)
    first = connect(running.port, 1)
    ask_together(first, 0)
    first[0].close()
    base, fds = resident(worker), descriptors(worker)
    socks = connect(running.port, count)
    for sock in socks:
        sock.sendall(request(3))
    time.sleep(1.5)
    waiting = (resident(worker) - base) / count
    for sock in socks:
        read_answer(sock)
    took = statistics.median(ask_together(socks, 0.2) for _ in range(rounds))
    for sock in socks:
        sock.close()
    settled_descriptors(worker, fds)
    before = resident(worker)
    for _ in range(10_000):
        with socket.create_connection(("127.0.0.1", running.port), timeout=30) as sock:
            sock.sendall(request(0))
            read_answer(sock)
    grown, left = resident(worker) - before, settled_descriptors(worker, fds) - fds
    return [f"{took:.2f} s", f"{waiting:,.0f}", f"{grown / 1024:,.0f} KiB", f"{left}"]


def table(build: Path, python: Path, count: int, rounds: int) -> list[str]:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {1})
    lines = [
        f"| server | {count:,} requests that sleep 0.2 s | bytes for each that waits "
        "| grown by 10,000 connections | descriptors left |", "|---|---:|---:|---:|---:|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        setup = Setup(build.resolve(), python.absolute(), Path(folder), connections=count)
        for contender in CONTENDERS:
            with Running(contender, setup, 0) as running:
                lines.append(f"| {contender.name} | {' | '.join(measure(running, count, rounds))} |")
    os.sched_setaffinity(0, before)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv" / "bin" / "python")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print("\n".join(table(options.build, options.python, options.count, options.rounds)))


if __name__ == "__main__":
    main()
