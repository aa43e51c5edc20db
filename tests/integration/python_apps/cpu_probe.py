# SPDX-License-Identifier: MIT
"""Answers after it was busy, and sends the rest after it was asleep; both in seconds."""

import asyncio
import time
import urllib.parse


def times(query: str) -> tuple[float, float]:
    values = dict(urllib.parse.parse_qsl(query))
    return float(values.get("busy", 0)), float(values.get("asleep", 0))


def be_busy(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def wsgi(environ, start_response):
    busy, asleep = times(environ["QUERY_STRING"])
    be_busy(busy)
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"la"
    time.sleep(asleep)
    yield b"ter"


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    busy, asleep = times(scope["query_string"].decode())
    be_busy(busy)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"la", "more_body": True})
    await asyncio.sleep(asleep)
    await send({"type": "http.response.body", "body": b"ter"})
