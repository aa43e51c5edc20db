# SPDX-License-Identifier: MIT
"""What a good client notices of thousands that send their request heads a byte a second.

python3 bench/slow_drip.py [--binary build/unicoro] [--drips 2000] [--seconds 10] [--rounds 3] [--kinds sync,async,asgi]

One worker, with room for all of them (worker_connections), and header_timeout by default unless another is given, at
which those who are cut come again. Turn by turn without the drip and with it, prints the 50th and the 99th percentile
of a client that asks 200 times a second, on a kept connection and on a new one each time, and the quotient of the 99th.
Each is that of the best round: what else the machine does only adds to it."""

import argparse
import contextlib
import heapq
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEAD = b"GET /" + b"a" * 4000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
EACH_SECOND = 200
KINDS = {
    "sync": ("work:wsgi", ["-k", "sync"]),
    "gthread": ("work:wsgi", ["-k", "gthread", "--threads", "4"]),
    "async": ("work:wsgi", ["-k", "async"]),
    "asgi": ("work:asgi", ["-k", "async"]),
}
APPLICATION = """
def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
"""


def is_cut(sock: socket.socket) -> bool:
    """It has been answered, or closed."""
    try:
        sock.recv(4096)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def drip(port: int, count: int, told) -> None:
    """`count` connections, each of which sends a byte a second; those that are cut come again."""
    due: list[tuple[float, int]] = []
    socks: list[socket.socket | None] = [None] * count
    at = [0] * count
    cut = 0
    begun = time.monotonic()
    for number in range(count):
        heapq.heappush(due, (begun + number / count, number))
    opened = 0
    while True:
        when, number = heapq.heappop(due)
        time.sleep(max(0.0, when - time.monotonic()))
        sock = socks[number]
        if sock is None or at[number] == len(HEAD):
            sock = socks[number] = socket.create_connection(("127.0.0.1", port))
            sock.setblocking(False)
            at[number] = 0
            opened += 1
            if opened == count:
                told.send("all are there")
        with contextlib.suppress(OSError):
            at[number] += sock.send(HEAD[at[number] : at[number] + 1])
        if is_cut(sock):
            sock.close()
            socks[number] = None
            cut += 1
        if told.poll():
            told.recv()
            told.send(cut)
            return
        heapq.heappush(due, (max(when + 1, time.monotonic()), number))


def answered(sock: socket.socket) -> None:
    got = b""
    while not got.endswith(b"\r\n\r\nok"):
        piece = sock.recv(4096)
        if not piece:
            raise SystemExit(f"closed behind {got!r}")
        got += piece


def ask(port: int, seconds: float, keeps: bool) -> list[float]:
    """Milliseconds from each request, or its connect, to the answer."""
    took = []
    kept = socket.create_connection(("127.0.0.1", port)) if keeps else None
    begun = time.monotonic()
    number = 0
    while (when := begun + number / EACH_SECOND) < begun + seconds:
        number += 1
        time.sleep(max(0.0, when - time.monotonic()))
        asked = time.perf_counter()
        sock = kept or socket.create_connection(("127.0.0.1", port))
        sock.sendall(REQUEST)
        answered(sock)
        took.append((time.perf_counter() - asked) * 1000)
        if kept is None:
            sock.close()
    return took


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


def dripped(port: int, count: int, cpu: int, measure):
    """What `measure` returns while it drips, and how many were cut."""
    own, its = multiprocessing.Pipe()
    child = multiprocessing.Process(target=on_cpu, args=(cpu, drip, port, count, its), daemon=True)
    child.start()
    try:
        if not own.poll(120):
            raise SystemExit("the drips are not all accepted")
        own.recv()
        got = measure()
        own.send("enough")
        return got, own.recv()
    finally:
        child.kill()
        child.join()


def on_cpu(cpu: int, call, *arguments) -> None:
    os.sched_setaffinity(0, {cpu})
    call(*arguments)


def serve(given: argparse.Namespace, kind: str, folder: str, port: int, cpu: int) -> subprocess.Popen:
    app, own = KINDS[kind]
    more = ["--header-timeout", given.header_timeout] if given.header_timeout else []
    started = subprocess.Popen(
        [given.binary, "-b", f"127.0.0.1:{port}", "-w", "1", "--worker-connections", str(given.drips + 500), "--keep-alive", "75",
         "--python", given.python, *own, *more, app],
        cwd=folder, stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, {cpu}),
    )
    deadline = time.monotonic() + 30
    while True:
        try:
            ask(port, 0.01, keeps=False)
            return started
        except OSError:
            if time.monotonic() > deadline or started.poll() is not None:
                raise SystemExit("the server does not start") from None
            time.sleep(0.05)


def run(given: argparse.Namespace, kind: str, folder: str, port: int) -> None:
    cpus = sorted(os.sched_getaffinity(0))
    server = serve(given, kind, folder, port, cpus[0])
    try:
        for keeps in (True, False):
            alone: list[list[float]] = []
            beside: list[list[float]] = []
            cuts = 0
            for _ in range(given.rounds):
                alone.append(ask(port, given.seconds, keeps))
                got, cut = dripped(port, given.drips, cpus[-1], lambda keeps=keeps: ask(port, given.seconds, keeps))
                beside.append(got)
                cuts += cut
            row = {}
            for name, samples in (("alone", alone), ("beside the drip", beside)):
                row[name] = [min(percentile(each, share) for each in samples) for share in (0.5, 0.99)]
            quotient = row["beside the drip"][1] / row["alone"][1]
            figures = "  ".join(f"{name}: p50 {half:.2f} ms, p99 {most:.2f} ms" for name, (half, most) in row.items())
            print(f"{kind:8} {'kept' if keeps else 'new':5} {figures}  {quotient:.2f} times; {cuts} drips cut", flush=True)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "build" / "unicoro"))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--drips", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--header-timeout", default="")
    parser.add_argument("--kinds", default="sync,async,asgi")
    given = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "work.py").write_text(APPLICATION)
        for kind in given.kinds.split(","):
            run(given, kind, folder, port)


if __name__ == "__main__":
    main()
