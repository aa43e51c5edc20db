# SPDX-License-Identifier: MIT
"""What harness/mixed_load.py asks for: /pid, /echo, /events, and with ASGI /websocket."""

import asyncio
import os
import time

PAUSE = 0.02


def application(environ, start_response):
    """WSGI."""
    path = environ["PATH_INFO"]
    if path == "/events":
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return events()
    body = environ["wsgi.input"].read() if path == "/echo" else b"%d" % os.getpid()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def events():
    for number in range(1000):
        yield b"data: %d\n\n" % number
        time.sleep(PAUSE)


async def asgi(scope, receive, send):
    if scope["type"] == "websocket":
        return await websocket(receive, send)
    if scope["type"] != "http":
        raise NotImplementedError
    if scope["path"] == "/events":
        return await asgi_events(receive, send)
    body = await whole_body(receive) if scope["path"] == "/echo" else b"%d" % os.getpid()
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def whole_body(receive):
    pieces = []
    more = True
    while more:
        message = await receive()
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


async def asgi_events(receive, send):
    """Until the client leaves, or the server ends."""
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"text/event-stream")]})
    await receive()
    gone = asyncio.ensure_future(receive())
    for number in range(1000):
        await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
        if (await asyncio.wait([gone], timeout=PAUSE))[0]:
            break
    gone.cancel()
    await send({"type": "http.response.body", "body": b""})


async def websocket(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        await send({"type": "websocket.send", "text": message["text"]})
