# SPDX-License-Identifier: MIT
"""What a worker takes to start, and what a whole server takes of the memory."""

import os
import signal
import socket
import statistics
import time

import measure
from servers import Contender, Running, Setup, granian, gunicorn, unicoro, uvicorn

WORKERS = 4
LIMIT = 20.0

STARTING = [
    unicoro("unicoro -k sync", "hello_wsgi", "sync"),
    unicoro("unicoro -k async", "hello_wsgi", "async", modules=("gevent",)),
    gunicorn("gunicorn -k gevent", "hello_wsgi"),
    granian("granian WSGI", "hello_wsgi", "wsgi", "--no-ws", "--respawn-failed-workers"),
]

FOUR = ("-w", str(WORKERS))
SERVING = [
    unicoro("unicoro -k sync", "hello_wsgi", "sync", *FOUR),
    unicoro("unicoro -k async", "hello_wsgi", "async", *FOUR, modules=("gevent",)),
    unicoro("unicoro ASGI", "hello_asgi", "async", *FOUR),
    gunicorn("gunicorn -k gevent", "hello_wsgi", *FOUR),
    granian("granian WSGI", "hello_wsgi", "wsgi", "--no-ws", "--workers", str(WORKERS)),
    uvicorn("uvicorn", "hello_asgi", "--workers", str(WORKERS)),
]


def answer_of_next_worker(server: Running) -> float:
    """Seconds from the fork of a worker, in the place of one that was killed, to its first answer."""
    before = measure.children(server.pid)
    if len(before) > 1:
        # Where the master has helpers, the worker is the one that serves.
        before.sort(key=measure.cpu_seconds)
    os.kill(before[-1], signal.SIGKILL)
    deadline = time.monotonic() + LIMIT
    while not set(measure.children(server.pid)) - set(before):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{server.contender.name}: no new worker")
    forked = time.monotonic()
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if sock.recv(64).startswith(b"HTTP/1.1 200"):
                    return time.monotonic() - forked
        except OSError:
            continue
    raise RuntimeError(f"{server.contender.name}: no answer of the new worker")


def start_once(contender: Contender, setup: Setup, cores: tuple[int, int]) -> float:
    with Running(contender, setup, cores[0]) as server:
        # Who starts workers that end at once may hold the next one back.
        measure.wrk(server.port, cores[1], measure.Load(8), 1)
        return answer_of_next_worker(server)


def memory_once(contender: Contender, setup: Setup, cores: tuple[int, int]) -> int:
    with Running(contender, setup, cores[0]) as server:
        measure.wrk(server.port, cores[1], measure.Load(64), 1)
        return measure.pss_bytes(server.pid)


def table(setup: Setup, cores: tuple[int, int], rounds: int, chosen) -> list[str]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cores[1]})
    try:
        return _table(setup, cores, rounds, chosen)
    finally:
        os.sched_setaffinity(0, before)


def _table(setup: Setup, cores: tuple[int, int], rounds: int, chosen) -> list[str]:
    starts: dict[str, list[float]] = {}
    starting, serving = chosen(setup, STARTING), chosen(setup, SERVING)
    for _ in range(rounds):
        for each in starting:
            starts.setdefault(each.name, []).append(start_once(each, setup, cores))
    lines = ["| server | from the fork of a worker to its first answer |", "|---|---:|"]
    lines += [f"| {name} | {statistics.median(all_) * 1000:.0f} ms |" for name, all_ in starts.items()]
    lines += ["", f"| server with {WORKERS} workers | proportional set size of all its processes |", "|---|---:|"]
    for each in serving:
        sizes = [memory_once(each, setup, cores) for _ in range(min(rounds, 3))]
        lines.append(f"| {each.name} | {statistics.median(sizes) / (1 << 20):.1f} MiB |")
    return lines
