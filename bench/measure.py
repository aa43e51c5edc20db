# SPDX-License-Identifier: MIT
"""Numbers from /proc and from wrk."""

import os
import re
import resource
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from servers import Running

TICKS = os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
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


@dataclass
class Sample:
    requests: int
    seconds: float
    cpu: float

    @property
    def per_cpu_second(self) -> float:
        return self.requests / self.cpu

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def wrk(port: int, core: int, connections: int, seconds: int) -> tuple[int, float]:
    """Runs wrk; returns the number of requests and the seconds they took."""
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
               f"http://127.0.0.1:{port}/"]
    text = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=seconds + 30
    ).stdout
    wrong = re.search(r"(Non-2xx.*|Socket errors: .*)", text)
    if wrong and not re.fullmatch(r"Socket errors: connect 0, read 0, write 0, timeout 0", wrong[1]):
        raise RuntimeError(f"port {port}: {wrong[1]}")
    done = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", text)
    unit = {"ms": 0.001, "s": 1.0, "m": 60.0}[done[3]]
    return int(done[1]), float(done[2]) * unit


def load(server: Running, core: int, connections: int, seconds: int) -> Sample:
    """One measured run, after a second of warming up."""
    wrk(server.port, core, connections, 1)
    before = cpu_seconds(server.pid)
    requests, took = wrk(server.port, core, connections, seconds)
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
