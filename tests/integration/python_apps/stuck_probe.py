# SPDX-License-Identifier: MIT
"""WSGI and ASGI: requests that hold their worker, in a sleep or in a busy loop, or only wait, until a file is there."""

import asyncio
import ctypes
import os
import time
import urllib.parse

# Which nobody patches.
hold = ctypes.CDLL(None).usleep


def sleep_until(gate):
    while not os.path.exists(gate):
        hold(10_000)


def compute_until(gate):
    while not os.path.exists(gate):
        pass


def wait_until(gate):
    while not os.path.exists(gate):
        time.sleep(0.01)


async def await_until(gate):
    while not os.path.exists(gate):
        await asyncio.sleep(0.01)


def app(environ, start_response):
    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    gate = query.get("until")
    path = environ["PATH_INFO"]
    if path.startswith("/sleep"):
        sleep_until(gate)
    elif path == "/busy":
        compute_until(gate)
    elif path == "/wait":
        wait_until(gate)
    environ["wsgi.input"].read()
    body = b"x" * int(query.get("bytes", 2))
    start_response(query.get("status", "200 OK"), [("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope, receive, send):
    query = dict(urllib.parse.parse_qsl(scope["query_string"].decode()))
    gate = query.get("until")
    if scope["path"] == "/sleep":
        sleep_until(gate)
    elif scope["path"] == "/busy":
        compute_until(gate)
    elif scope["path"] == "/wait":
        await await_until(gate)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"xx"})
