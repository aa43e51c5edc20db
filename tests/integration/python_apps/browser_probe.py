# SPDX-License-Identifier: MIT
"""A page for a browser, whose parts are sent when all of them are asked for, and a WebSocket that echoes."""

import asyncio
import threading

PARTS = 12
PAGE = b"<!doctype html><title>probe</title><link rel=icon href=data:,><p>hello</p>"

together = threading.Barrier(PARTS)
arrived: list[asyncio.Future] = []


def application(environ, start_response):
    body = PAGE
    if environ["PATH_INFO"].startswith("/part/"):
        together.wait(60)
        body = b"x" * 100_000
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
    return [body]


async def all_are_here() -> None:
    own = asyncio.get_running_loop().create_future()
    arrived.append(own)
    if len(arrived) == PARTS:
        for each in arrived:
            each.set_result(None)
        arrived.clear()
    await asyncio.wait_for(own, 60)


async def asgi(scope, receive, send):
    if scope["type"] == "websocket":
        return await echo(scope, receive, send)
    if scope["type"] != "http":
        raise NotImplementedError
    body = PAGE
    if scope["path"].startswith("/part/"):
        await all_are_here()
        body = b"x" * 100_000
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": body})


async def echo(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None)})
    await send({"type": "websocket.send", "text": f"{scope['scheme']} {scope['http_version']}"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "close":
            return await send({"type": "websocket.close", "code": 3001, "reason": "asked for"})
        kept = {key: message[key] for key in ("text", "bytes") if message.get(key) is not None}
        await send({"type": "websocket.send", **kept})
