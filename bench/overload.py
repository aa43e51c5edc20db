# SPDX-License-Identifier: MIT
"""Three times as many requests as a worker has room for: what it still serves, and how soon.

python3 bench/overload.py [--binary build/unicoro] [--seconds 10] [--kinds sync,gthread,async,asgi]

Prints a row for each class: its capacity, measured with as many clients as there are places; the share of it that is
served under three times that rate, on connections that are kept; the 99th percentile of those that were served beside
what may be expected of them; and the slowest answer of the health path meanwhile."""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SERVICE = 0.02
QUEUE_TIMEOUT = 0.5
KINDS = {
    "sync": (1, "work:wsgi", ["-k", "sync"]),
    "gthread": (4, "work:wsgi", ["-k", "gthread", "--threads", "4"]),
    "async": (8, "work:wsgi", ["-k", "async"]),
    "asgi": (8, "work:asgi", ["-k", "async"]),
}
APPLICATION = f"""
import asyncio, time

def wsgi(environ, start_response):
    if environ["PATH_INFO"] != "/health":
        time.sleep({SERVICE})
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["path"] != "/health":
        await asyncio.sleep({SERVICE})
    await send({{"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}})
    await send({{"type": "http.response.body", "body": b"ok"}})
"""


class Clients:
    """Kept connections; a new one where none is free."""

    def __init__(self, port):
        self.port, self.free, self.answers = port, [], []

    async def ask(self, path="/"):
        begun = time.monotonic()
        reader, writer = self.free.pop() if self.free else await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().split("content-length:")[1].split("\r\n")[0])
        await reader.readexactly(length)
        self.free.append((reader, writer))
        return int(head.split(" ")[1]), time.monotonic() - begun

    async def note(self):
        self.answers.append(await self.ask())


async def capacity(port, places, seconds):
    clients = Clients(port)
    end = time.monotonic() + seconds

    async def client():
        while time.monotonic() < end:
            await clients.note()

    await asyncio.gather(*[client() for _ in range(places)])
    return len(clients.answers) / seconds


async def overload(port, rate, seconds):
    clients, health, slowest = Clients(port), Clients(port), 0.0
    running = set()
    begun = time.monotonic()
    sent, next_check = 0, begun
    while (now := time.monotonic()) < begun + seconds:
        while sent < (now - begun) * rate:
            sent += 1
            running.add(task := asyncio.ensure_future(clients.note()))
            task.add_done_callback(running.discard)
        if now >= next_check:
            next_check = now + 0.25
            status, took = await health.ask("/health")
            if status != 200:
                raise RuntimeError(f"the health path answered {status}")
            slowest = max(slowest, took)
        await asyncio.sleep(0.002)
    in_time = list(clients.answers)
    await asyncio.gather(*running)
    return in_time, slowest


async def measure(port, places, seconds):
    able = await capacity(port, places, seconds / 2)
    answers, slowest = await overload(port, 3 * able, seconds)
    served = sorted(took for status, took in answers if status == 200)
    refused = sum(status == 503 for status, _ in answers)
    p99 = served[int(len(served) * 0.99)]
    return able, len(served) / seconds / able, refused / seconds, p99, slowest


def run(kind, binary, seconds):
    places, application, args = KINDS[kind]
    with socket.socket() as probe, tempfile.TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        Path(folder, "work.py").write_text(APPLICATION)
        config = {"max_concurrent_requests": places, "max_queued_requests": 1000, "queue_timeout": QUEUE_TIMEOUT,
                  "loglevel": "error", "keepalive": 60, "worker_connections": 5000,
                  "request_rules": [{"path": "/health", "never_shed": True}]}
        Path(folder, "unicoro.json").write_text(json.dumps(config))
        command = [binary, "-c", f"{folder}/unicoro.json", "--chdir", folder, "--python", sys.executable,
                   "-b", f"127.0.0.1:{port}", *args, application]
        server = os.posix_spawn(command[0], command, os.environ)
        try:
            for _ in range(500):
                with socket.socket() as client:
                    if client.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.02)
            return places, *asyncio.run(measure(port, places, seconds))
        finally:
            os.kill(server, signal.SIGTERM)
            os.waitpid(server, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "build" / "unicoro"))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--kinds", default=",".join(KINDS))
    chosen = parser.parse_args()
    print("| class | places | capacity/s | served of it | refused/s | p99 of served | may take | slowest health |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in chosen.kinds.split(","):
        places, able, share, refused, p99, slowest = run(kind, chosen.binary, chosen.seconds)
        print(
            f"| {kind} | {places} | {able:.0f} | {share:.1%} | {refused:.0f} | {p99 * 1000:.0f} ms "
            f"| {(QUEUE_TIMEOUT + SERVICE) * 1000:.0f} ms | {slowest * 1000:.0f} ms |",
            flush=True,
        )


if __name__ == "__main__":
    main()
