# SPDX-License-Identifier: MIT
"""An ASGI application: the last segment of the path names the act. Those of WebSockets are in
asgi_websocket_acts."""

import asyncio
import contextlib
import itertools
import os
import tempfile
import threading
import time

import asgi_websocket_acts
from asgi_messages import body, read_all, send_pieces, start, until_gone, whole
from marks import EVERYBODY, Ask, OnPurpose, note_lifespan, state

left = set()


def leave(coroutine):
    """A task that nobody waits for; what it raises is its own affair."""
    async def go_on():
        with contextlib.suppress(Exception):
            await coroutine

    task = asyncio.ensure_future(go_on())
    left.add(task)
    task.add_done_callback(left.discard)
    return task


async def plain(ask, receive, send):
    data = await read_all(receive)
    if data is not None:
        await whole(ask, send, ask.reading(data) + ask.pieces())


async def slow(ask, receive, send):
    await asyncio.sleep(ask.pause)
    await plain(ask, receive, send)


async def hinted(ask, receive, send):
    for index in range(ask.count):
        await send({"type": "http.response.early_hint", "links": [ask.piece(index)]})
        await asyncio.sleep(ask.pause)
    await plain(ask, receive, send)


async def echo(ask, receive, send):
    """Answers each piece as it comes."""
    await start(ask, send)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        await body(send, message["body"], message["more_body"])
        if not message["more_body"]:
            return


async def stream(ask, receive, send):
    await start(ask, send)
    await send_pieces(ask, send)


async def early(ask, receive, send):
    await whole(ask, send, ask.pieces())


async def partial(ask, receive, send):
    data = (await receive()).get("body", b"")
    await whole(ask, send, ask.reading(data) + ask.pieces())


async def fail_first(ask, receive, send):
    if ask.variant % 2:
        await receive()
    if ask.variant % 3 == 0:
        await start(ask, send)
    await asyncio.sleep(ask.pause)
    raise OnPurpose(ask.mark)


async def fail_late(ask, receive, send):
    await start(ask, send)
    await send_pieces(ask, send, end=False)
    raise OnPurpose(ask.mark)


async def fail_after(ask, receive, send):
    await early(ask, receive, send)
    await asyncio.sleep(ask.pause)
    raise OnPurpose(ask.mark)


async def silent(ask, receive, send):
    """Ends without an answer, or with half of one."""
    if ask.variant % 2:
        await start(ask, send)
        await body(send, ask.piece(0))


async def events(ask, receive, send):
    """A streaming task that sends before the listening task asks for anything: server-sent events."""
    async def streaming():
        await start(ask, send)
        await send_pieces(ask, send)

    tasks = [asyncio.ensure_future(streaming()), asyncio.ensure_future(until_gone(receive))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def listener(ask, receive, send):
    """Listens for the client's leaving while it works, as Django does."""
    data = await read_all(receive)
    if data is None:
        return
    listening = asyncio.ensure_future(until_gone(receive))
    working = asyncio.ensure_future(asyncio.sleep(ask.pause))
    try:
        await asyncio.wait([listening, working], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await start(ask, send)
            await body(send, ask.reading(data))
            await send_pieces(ask, send)
    finally:
        listening.cancel()
        working.cancel()
        await asyncio.gather(listening, working, return_exceptions=True)


async def asks_whether_gone(ask, receive, send):
    """Starlette's is_disconnected(): a receive() that is cancelled in the same turn."""
    data = await read_all(receive)
    if data is None:
        return
    for _ in range(30):
        asked = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        asked.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            if (await asked)["type"] == "http.disconnect":
                return
    await whole(ask, send, ask.reading(data) + ask.pieces())


async def impatient(ask, receive, send):
    """Reads that are given up and begun again."""
    data = b""
    for _ in range(1000):
        try:
            message = await asyncio.wait_for(receive(), 0.01)
        except asyncio.TimeoutError:
            continue
        if message["type"] == "http.disconnect":
            return
        data += message["body"]
        if not message["more_body"]:
            break
    await whole(ask, send, ask.reading(data) + ask.pieces())


async def listener_left(ask, receive, send):
    leave(until_gone(receive))
    if ask.variant % 2:
        await asyncio.sleep(0)
    if ask.variant % 3 == 0:
        raise OnPurpose(ask.mark)
    await early(ask, receive, send)


async def reader_left(ask, receive, send):
    """Two tasks read the same body, and neither is waited for."""
    leave(read_all(receive))
    leave(read_all(receive))
    await asyncio.sleep(ask.pause)
    await stream(ask, receive, send)


async def sender_left(ask, receive, send):
    """A task that sends beside the application, and goes on behind its end."""
    async def sending():
        for index in range(40):
            await body(send, ask.piece(index))
            await asyncio.sleep(0.003)

    await start(ask, send)
    leave(sending())
    await asyncio.sleep(ask.pause)
    if ask.variant % 3 == 0:
        raise OnPurpose(ask.mark)
    if ask.variant % 3 == 1:
        await body(send, b"", more=False)


async def background(ask, receive, send):
    """Works on behind its answer, and uses the request there."""
    await early(ask, receive, send)
    await asyncio.sleep(ask.pause)
    with contextlib.suppress(Exception):
        await body(send, b"late")
    with contextlib.suppress(Exception):
        await asyncio.wait_for(receive(), 0.05)


async def in_thread(ask, receive, send):
    await asyncio.to_thread(time.sleep, ask.pause)
    await plain(ask, receive, send)


async def endless(ask, receive, send):
    """Waits for something else, with tasks of its own that wait for the request."""
    if ask.variant % 2:
        leave(read_all(receive))
    # The server looks for its client as long as somebody receives.
    leave(until_gone(receive))
    await asyncio.sleep(ask.pause)
    if ask.variant % 4 == 0:
        await start(ask, send)
        leave(send_pieces(ask, send, end=False))
    if ask.variant % 5 == 0:
        await read_all(receive)
    await asyncio.sleep(3600)


async def endless_timeout(ask, receive, send):
    await endless(ask, receive, send)


async def endless_stream(ask, receive, send):
    await start(ask, send)
    index = 0
    while True:
        await body(send, ask.piece(index))
        index += 1
        await asyncio.sleep(0.001)


async def event_stream(ask, receive, send):
    """Deaf, or told of the end and then leaving or saying good-bye."""
    async def streaming():
        await start(ask, send)
        for index in itertools.count():
            await body(send, ask.piece(index) + b"\n\n")
            await asyncio.sleep(ask.pause)

    way = ask.variant % 3
    if way == 0:
        return await streaming()
    task = asyncio.ensure_future(streaming())
    try:
        await until_gone(receive)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionResetError):
            await task
    if way == 2:
        with contextlib.suppress(ConnectionResetError):
            await body(send, b"event: bye\n\n")
            await body(send, b"", more=False)


async def thread_left(ask, receive, send):
    """A thread that has the loop use the request, whether that is over or not."""
    loop = asyncio.get_running_loop()

    def go_on():
        for index in range(10):
            time.sleep(0.004)
            work = receive() if ask.variant % 2 else body(send, ask.piece(index))
            try:
                loop.call_soon_threadsafe(leave, work)
            except RuntimeError:
                return

    threading.Thread(target=go_on, daemon=True).start()
    await asyncio.sleep(ask.pause)
    await early(ask, receive, send)


async def stubborn(ask, receive, send):
    """Catches that it is cancelled, and goes on."""
    for _ in range(2):
        try:
            await asyncio.sleep(ask.pause)
            await asyncio.wait_for(receive(), 0.3)
        except BaseException:
            pass
    with contextlib.suppress(Exception):
        await stream(ask, receive, send)


async def cancelled(ask, receive, send):
    """Cancelled by somebody else than the server."""
    if ask.variant % 2:
        await start(ask, send)
    asyncio.current_task().cancel()
    await receive()


async def inside_itself(ask, receive, send):
    """Its own coroutine, used from inside of it."""
    own = asyncio.current_task().get_coro()
    acts = (own.close, lambda: own.send(None), lambda: own.throw(ValueError("own")))
    with contextlib.suppress(BaseException):
        acts[ask.variant % 3]()
    await asyncio.sleep(0.002)
    await early(ask, receive, send)


async def closed_elsewhere(ask, receive, send):
    """Its coroutine is closed by a callback while it waits."""
    own = asyncio.current_task().get_coro()

    def close():
        with contextlib.suppress(BaseException):
            own.close()

    asyncio.get_running_loop().call_soon(close)
    waits = (receive, lambda: asyncio.sleep(0.01), lambda: send_pieces(ask, send))
    if ask.variant % 3 == 2:
        await start(ask, send)
    await waits[ask.variant % 3]()


async def file(ask, receive, send):
    with tempfile.NamedTemporaryFile() as kept:
        kept.write(ask.pieces())
        kept.flush()
        await start(ask, send)
        await send({"type": "http.response.pathsend", "path": os.path.realpath(kept.name)})


async def sent_in_stead(ask, receive, send):
    """The server sends a file; what is given here is for nobody."""
    headers = [(name.lower().encode(), value.encode()) for name, value in [*ask.fields, ("X-Accel-Redirect", EVERYBODY)]]
    await send({"type": "http.response.start", "status": ask.status, "headers": headers})
    for index in range(ask.count):
        await asyncio.sleep(ask.pause)
        await body(send, ask.piece(index))
    await body(send, b"", more=False)


async def report(ask, receive, send):
    data = state()
    headers = [(b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await body(send, data, more=False)


ACTS = {
    act.__name__: act
    for act in (
        plain, slow, hinted, echo, stream, early, partial, fail_first, fail_late, fail_after, silent, events, listener,
        asks_whether_gone, impatient, listener_left, reader_left, sender_left, background, in_thread, endless,
        endless_timeout, endless_stream, event_stream, thread_left, stubborn, cancelled, inside_itself,
        closed_elsewhere, file, sent_in_stead, report,
    )
}


async def lifespan(receive, send):
    while True:
        event = (await receive())["type"]
        note_lifespan(event)
        await send({"type": event + ".complete"})
        if event == "lifespan.shutdown":
            return


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    ask = Ask(scope["path"], scope["query_string"].decode())
    acts = ACTS if scope["type"] == "http" else asgi_websocket_acts.ACTS
    await acts[ask.act](ask, receive, send)
