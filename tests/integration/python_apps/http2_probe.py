# SPDX-License-Identifier: MIT
"""What a request by HTTP/2 is to applications; the path names what is done."""

import asyncio
import hashlib
import json
import os
import time

BIG = b"0123456789abcdef" * 65536


def application(environ, start_response):
    path = environ["PATH_INFO"]
    fields = [("Content-Type", "text/plain"), ("X-Upper-Case", "yes"), ("Connection", "keep-alive")]
    if path == "/environ":
        body = json.dumps({key: value for key, value in environ.items() if isinstance(value, str)}).encode()
    elif path == "/echo":
        body = environ["wsgi.input"].read()
    elif path == "/digest":
        digest = hashlib.sha256()
        while piece := environ["wsgi.input"].read(50000):
            digest.update(piece)
        body = digest.hexdigest().encode()
    elif path == "/big":
        body = BIG
    elif path == "/file":
        start_response("200 OK", fields)
        return environ["wsgi.file_wrapper"](open(os.environ["PROBE_FILE"], "rb"))
    elif path == "/pieces":
        start_response("200 OK", fields)
        return (b"%08d" % number * 125 for number in range(1000))
    elif path == "/endless":
        start_response("200 OK", fields)
        return iter(lambda: b"." * 10000, None)
    elif path == "/short":
        start_response("200 OK", [("Content-Length", "100")])
        return [b"short"]
    elif path == "/fails":
        start_response("200 OK", fields)
        return failing()
    elif path == "/sleep":
        time.sleep(float(environ["QUERY_STRING"]))
        body = b"slept"
    elif path == "/empty":
        start_response("204 No Content", [])
        return []
    elif path == "/unchanged":
        start_response("304 Not Modified", [("ETag", '"a"')])
        return []
    elif path == "/unread":
        body = b"not read"
    elif path == "/hints":
        environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload")])
        body = b"done"
    else:
        body = b"hello"
    start_response("200 OK", [*fields, ("Content-Length", str(len(body)))])
    return [body]


def failing():
    yield b"begun"
    raise RuntimeError("on purpose")


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    path = scope["path"]

    async def answer(body):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": body})

    if path == "/scope":
        shown = {key: scope[key] for key in ("http_version", "method", "scheme", "path", "client", "server")}
        shown["headers"] = [[name.decode(), value.decode()] for name, value in scope["headers"]]
        await answer(json.dumps(shown).encode())
    elif path == "/duplex":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            message = await receive()
            await send({"type": "http.response.body", "body": message.get("body", b""), "more_body": True})
            if not message.get("more_body"):
                break
        await send({"type": "http.response.body"})
    elif path == "/gone":
        while (await receive())["type"] != "http.disconnect":
            pass
        open(os.environ["PROBE_MARK"], "w").close()
    elif path == "/stuck":
        await asyncio.sleep(60)
    elif path == "/held":
        while not os.path.exists(os.environ["PROBE_MARK"]):
            await asyncio.sleep(0.01)
        await answer(b"let go")
    elif path == "/unread":
        await asyncio.sleep(0.05)
        await answer(b"not read")
    elif path == "/events":
        fields = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        while True:
            await send({"type": "http.response.body", "body": b"data: tick\n\n", "more_body": True})
            await asyncio.sleep(0.02)
    else:
        await answer(b"hello")
