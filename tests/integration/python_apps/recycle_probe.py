# SPDX-License-Identifier: MIT
"""Applications that grow, and such as are warmed up: what they have been asked is told by /seen."""

import json
import os
import threading

import load_probe

KEPT = []
SEEN = []
MEBI = 1 << 20


def growing(environ, start_response):
    """As load_probe, but each /pid keeps 100 kB."""
    if environ["PATH_INFO"] == "/pid":
        KEPT.append(os.urandom(1) * 100_000)
    return load_probe.application(environ, start_response)


def application(environ, start_response):
    status, body = answer(environ["PATH_INFO"], environ["HTTP_HOST"], environ["wsgi.url_scheme"])
    start_response(status, [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/cut":
        return cut()
    return [body]


def cut():
    yield b"half of what"
    raise RuntimeError("cut short")


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    status, body = answer(scope["path"], dict(scope["headers"])[b"host"].decode(), scope["scheme"])
    await send({"type": "http.response.start", "status": int(status[:3]), "headers": []})
    if scope["path"] == "/cut":
        await send({"type": "http.response.body", "body": b"half of what", "more_body": True})
        raise RuntimeError("cut short")
    await send({"type": "http.response.body", "body": body})


def answer(path, host, scheme):
    SEEN.append([path, host, scheme])
    if path == "/seen":
        return "200 OK", json.dumps([os.getpid(), SEEN]).encode()
    if path == "/grow":
        KEPT.append(os.urandom(1) * 300 * MEBI)
    elif path == "/big":
        return "200 OK", b"x" * MEBI
    elif path == "/cold":
        return "503 Service Unavailable", b"not yet"
    elif path == "/broken":
        raise RuntimeError("broken")
    elif path == "/swell":
        KEPT.append(os.urandom(1) * 300 * MEBI)
        threading.Event().wait()
    elif path == "/stuck":
        threading.Event().wait()
    elif path == "/missing":
        return "404 Not Found", b""
    return "200 OK", b"%d" % os.getpid()
