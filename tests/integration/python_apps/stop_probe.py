# SPDX-License-Identifier: MIT
"""Applications that see the server stop. The path says what they do."""

import asyncio
import os
import time
import zlib

EVENTS = [("Content-Type", "text/event-stream; charset=utf-8")]


def wait_for(name):
    """Until the file is there."""
    while not os.path.exists(name):
        time.sleep(0.01)


def wsgi(environ, start_response):
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    stopping = environ["unicoro.stopping"]
    if path == "/ready":
        start_response("503 Stopping" if stopping() else "200 OK", [])
        return [b"stopping" if stopping() else b"ready"]
    if path == "/wait":
        wait_for(query)
        start_response("200 OK", [])
        return [b"waited"]
    if path == "/events":
        start_response("200 OK", EVENTS)
        return wsgi_events(query)
    if path == "/packed":
        start_response("200 OK", [*EVENTS, ("Content-Encoding", "deflate")])
        return packed_events(environ["unicoro.draining"])
    if path == "/download":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return wsgi_download(query)
    start_response("200 OK", [])
    return [b"hello"]


def wsgi_events(left):
    """Knows nothing of a drain; its events come in two pieces."""
    number = 0
    try:
        while True:
            yield b"data: %d\n" % number
            yield b"\n"
            number += 1
            time.sleep(0.02)
    finally:
        open(left, "w").close()


def packed_events(draining):
    """What it sends looks as if an event ended there. Has an end of its own."""
    packer = zlib.compressobj(wbits=-15)
    more = 50
    while more:
        more -= draining()
        # The second is a block that is stored as it is: 0x0a0a bytes.
        yield packer.compress(b"data: x\n") + packer.flush(zlib.Z_FULL_FLUSH)
        yield b"\0\x0a\x0a\xf5\xf5" + b"\n" * 0x0A0A
        time.sleep(0.01)
    yield packer.flush()


def wsgi_download(name):
    """Has an end, at which it does not look at the drain."""
    yield b"begin,"
    wait_for(name)
    for _ in range(10):
        yield b"more,"
    yield b"end"


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    path, query = scope["path"], scope["query_string"].decode()
    types = {"/download": b"application/octet-stream"}
    content_type = types.get(path, b"text/event-stream")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", content_type)]})
    try:
        await WAYS[path](scope, receive, send)
    finally:
        if query:
            with open(query, "a") as left:
                left.write(f"{path} {scope['extensions']['unicoro']['draining']()}\n")


async def piece(send, data, more=True):
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def told(_, receive, send):
    """Listens, says good-bye and ends."""
    await receive()
    await piece(send, b"data: first\n\n")
    assert (await receive())["type"] == "http.disconnect"
    for word in (b"one", b"two", b"three"):
        await piece(send, b"event: bye\ndata: %s\n\n" % word)
        await asyncio.sleep(0.02)
    await piece(send, b"", more=False)


async def cut(_, receive, send):
    """Listens, and returns with its response open, as frameworks do that cancel what sends."""
    await receive()
    await piece(send, b"data: first\n\n")
    assert (await receive())["type"] == "http.disconnect"


async def deaf(_, receive, send):
    """Does not listen."""
    number = 0
    while True:
        await piece(send, b"data: %d\n\n" % number)
        number += 1
        await asyncio.sleep(0.02)


async def idle(_, receive, send):
    """Neither listens nor sends."""
    await piece(send, b"data: first\n\n")
    await asyncio.Event().wait()


async def download(scope, receive, send):
    """Listens, as frameworks do, to what must not come for a response that has an end."""
    await receive()
    await piece(send, b"begin,")
    gone = asyncio.ensure_future(receive())
    while not scope["extensions"]["unicoro"]["draining"]():
        await asyncio.sleep(0.01)
    for _ in range(20):
        await asyncio.sleep(0.01)
        assert not gone.done()
        await piece(send, b"more,")
    gone.cancel()
    await piece(send, b"end", more=False)


WAYS = {"/told": told, "/cut": cut, "/deaf": deaf, "/idle": idle, "/download": download}
