# SPDX-License-Identifier: MIT
"""Sleeps for as many seconds as the query says, then answers."""

import asyncio

HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"6")]


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("HTTP only")
    await asyncio.sleep(float(scope["query_string"] or b"0.2"))
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"slept\n"})
