# SPDX-License-Identifier: MIT
"""The smallest ASGI application."""

HEADERS = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"14")]


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = await receive()
            await send({"type": event["type"] + ".complete"})
            if event["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"Hello, world!\n"})
