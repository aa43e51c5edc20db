# SPDX-License-Identifier: MIT
"""What acts of ASGI applications say and hear, message by message."""

import asyncio


async def start(ask, send, length=None):
    headers = [(name.lower().encode(), value.encode()) for name, value in ask.fields]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": ask.status, "headers": headers})


async def body(send, piece, more=True):
    await send({"type": "http.response.body", "body": piece, "more_body": more})


async def whole(ask, send, data):
    await start(ask, send, len(data))
    await body(send, data, more=False)


async def send_pieces(ask, send, end=True):
    for index in range(ask.count):
        if ask.pause:
            await asyncio.sleep(ask.pause)
        await body(send, ask.piece(index))
    if end:
        await body(send, b"", more=False)


async def read_all(receive):
    """The body, or None when the client has gone before its end."""
    data = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        data += message.get("body", b"")
        if not message.get("more_body"):
            return data


async def until_gone(receive):
    while (await receive())["type"] != "http.disconnect":
        pass
