# SPDX-License-Identifier: MIT
"""Numbers from /proc, wrk and h2load."""

import contextlib
import os
import re
import resource
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from servers import BENCH, Running

TICKS = os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        # A thread may end meanwhile.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, (task / "children").read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, its living descendants and the children it has reaped."""
    text = Path(f"/proc/{pid}/stat").read_text()
    fields = text[text.rindex(")") + 2 :].split()
    ticks = sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks / TICKS + sum(cpu_seconds(child) for child in children(pid))


def rss_bytes(pid: int) -> int:
    """Resident memory of a process, exact (the rounded counters of /proc/PID/stat lag behind)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Rss:\s+(\d+) kB", text, re.M)[1]) * 1024


def pss_bytes(pid: int) -> int:
    """What a process and its descendants take of the memory: what some of them share counts once."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    own = int(re.search(r"^Pss:\s+(\d+) kB", text, re.M)[1]) * 1024
    return own + sum(pss_bytes(child) for child in children(pid))


@dataclass
class Load:
    """What a server is asked for: by wrk, by h2load, or messages of a WebSocket."""

    connections: int
    path: str = "/"
    script: str = ""  # of bench/wrk
    websocket_bytes: int = 0
    scheme: str = "http"
    closes: bool = False  # a connection for each request
    streams: int = 0  # HTTP/2 with so many requests at once on each connection


@dataclass
class Sample:
    requests: int
    seconds: float
    cpu: float

    @property
    def per_cpu_second(self) -> float:
        # The kernel counts in ticks.
        return self.requests / max(self.cpu, 1 / TICKS)

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


NO_ERRORS = "Socket errors: connect 0, read 0, write 0, timeout 0"


def wrk(port: int, core: int | str, load: Load, seconds: int, *more: str) -> str:
    """Runs wrk; returns what it says."""
    script = ["-s", str(BENCH / "wrk" / load.script)] if load.script else []
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{load.connections}", f"-d{seconds}s", *script, *more,
               *(["-H", "Connection: close"] if load.closes else []), f"{load.scheme}://127.0.0.1:{port}{load.path}"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 30).stdout


def unit(text: str) -> float:
    return {"us": 0.000001, "ms": 0.001, "s": 1.0, "m": 60.0}[text]


def wrk_requests(port: int, core: int, load: Load, seconds: int) -> tuple[int, float]:
    """The number of requests and the seconds they took."""
    text = wrk(port, core, load, seconds)
    wrong = re.search(r"(Non-2xx.*|Socket errors: .*)", text)
    if wrong and wrong[1] != NO_ERRORS:
        raise RuntimeError(f"port {port}: {wrong[1]}")
    done = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", text)
    return int(done[1]), float(done[2]) * unit(done[3])


def http2_requests(port: int, core: int, load: Load, seconds: int) -> tuple[int, float]:
    command = ["taskset", "-c", str(core), "h2load", "-t1", f"-c{load.connections}", f"-m{load.streams}",
               f"-D{seconds}", f"{load.scheme}://127.0.0.1:{port}{load.path}"]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 30).stdout
    done = re.search(r"(\d+) done, (\d+) succeeded", text)
    if "Application protocol: h2" not in text or not done or done[1] != done[2]:
        raise RuntimeError(f"port {port}: {text}")
    return int(done[2]), float(seconds)


def websocket_echoes(client: Path, port: int, core: int, load: Load, seconds: int) -> tuple[int, float]:
    command = ["taskset", "-c", str(core), str(client), str(port), str(load.connections),
               str(load.websocket_bytes), str(seconds)]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 30).stdout
    count, took = text.split()
    return int(count), float(took)


def under(load: Load, server: Running, core: int, seconds: int) -> Sample:
    """One measured run, after a second of warming up."""

    def run(length: int) -> tuple[int, float]:
        if load.websocket_bytes:
            client = server.setup.build / "bench" / "bench_websocket"
            return websocket_echoes(client, server.port, core, load, length)
        if load.streams:
            return http2_requests(server.port, core, load, length)
        return wrk_requests(server.port, core, load, length)

    run(1)
    before = cpu_seconds(server.pid)
    requests, took = run(seconds)
    return Sample(requests, took, cpu_seconds(server.pid) - before)


def raise_descriptor_limit(wanted: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise RuntimeError(f"{wanted} descriptors are needed, the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def _open(port: int, number: int) -> socket.socket:
    # A source address has some 28,000 ports; several addresses keep clear of those in TIME_WAIT.
    sock = socket.socket()
    sock.settimeout(10)
    sock.bind((f"127.0.0.{2 + number % 16}", 0))
    sock.connect(("127.0.0.1", port))
    sock.sendall(REQUEST)
    if not sock.recv(4096).startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"connection {number} was not served")
    return sock


def idle_bytes(server: Running, connections: int, steps: int = 10) -> float:
    """Resident bytes of the worker per idle connection that has had one request served: the slope of
    a line through `steps` points, so that what the first connections set up once does not count."""
    workers = children(server.pid)
    worker = workers[0] if workers else server.pid
    held: list[socket.socket] = []
    points: list[tuple[int, int]] = []
    try:
        for step in range(steps + 1):
            while len(held) < connections * step // steps:
                held.append(_open(server.port, len(held)))
            points.append((len(held), rss_bytes(worker)))
    finally:
        for sock in held:
            sock.close()
    points = points[1:]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    above = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return above / sum((x - mean_x) ** 2 for x, _ in points)


def loop(command: list[str], core: int) -> Sample:
    """What a program measures itself: it prints calls, CPU-seconds and seconds."""
    text = subprocess.run(
        ["taskset", "-c", str(core), *command], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    calls, cpu, seconds = text.split()
    return Sample(int(calls), float(seconds), float(cpu))
