# SPDX-License-Identifier: MIT
"""What the ASGI application does with a WebSocket. Every message it sends begins with its mark."""

import asyncio
import contextlib

from marks import OnPurpose

talking = []


async def accept(ask, receive, send):
    assert (await receive())["type"] == "websocket.connect"
    headers = [(name.lower().encode(), value.encode()) for name, value in ask.fields]
    await send({"type": "websocket.accept", "headers": headers})


async def say(ask, send, index):
    await send({"type": "websocket.send", "text": ask.piece(index).decode()})


async def messages(receive):
    while (message := await receive())["type"] == "websocket.receive":
        yield message


async def echo(ask, receive, send):
    await accept(ask, receive, send)
    async for message in messages(receive):
        if message.get("text") is not None:
            await send({"type": "websocket.send", "text": message["text"]})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})


async def refuse(ask, receive, send):
    await receive()
    await asyncio.sleep(ask.pause)
    await send({"type": "websocket.close"})


async def answer_instead(ask, receive, send):
    await receive()
    headers = [(name.lower().encode(), value.encode()) for name, value in ask.fields]
    await send({"type": "websocket.http.response.start", "status": ask.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": ask.pieces()})


async def fail_first(ask, receive, send):
    if ask.variant % 2:
        await receive()
    await asyncio.sleep(ask.pause)
    raise OnPurpose(ask.mark)


async def fail_late(ask, receive, send):
    await accept(ask, receive, send)
    for index in range(ask.count):
        await say(ask, send, index)
    raise OnPurpose(ask.mark)


async def leave(ask, receive, send):
    """Ends without closing."""
    await accept(ask, receive, send)
    await say(ask, send, 0)


async def flood(ask, receive, send):
    """Sends without listening."""
    await accept(ask, receive, send)
    for index in range(ask.count):
        await say(ask, send, index)
    await send({"type": "websocket.close", "code": 3000})


async def push(ask, receive, send):
    """A task that sends, and one that listens; the first that ends ends both."""
    async def pushing():
        for index in range(ask.count):
            await say(ask, send, index)
            await asyncio.sleep(ask.pause)

    async def listening():
        async for _ in messages(receive):
            pass

    await accept(ask, receive, send)
    tasks = [asyncio.ensure_future(pushing()), asyncio.ensure_future(listening())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _suppressed(awaitable):
    with contextlib.suppress(Exception):
        await awaitable


async def tasks_left(ask, receive, send):
    async def sending():
        for index in range(20):
            await say(ask, send, index)
            await asyncio.sleep(0.005)

    async def listening():
        async for _ in messages(receive):
            pass

    await accept(ask, receive, send)
    kept = [asyncio.ensure_future(_suppressed(work)) for work in (sending(), listening(), listening())]
    talking[:] = talking[-30:] + kept
    await asyncio.sleep(ask.pause)
    if ask.variant % 2:
        raise OnPurpose(ask.mark)


async def impatient(ask, receive, send):
    """Listens with a limit, again and again."""
    await accept(ask, receive, send)
    for index in range(30):
        try:
            message = await asyncio.wait_for(receive(), 0.01)
        except asyncio.TimeoutError:
            await say(ask, send, index)
            continue
        if message["type"] == "websocket.disconnect":
            return


async def polls(ask, receive, send):
    await accept(ask, receive, send)
    for _ in range(50):
        asked = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        asked.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            if (await asked)["type"] == "websocket.disconnect":
                return
    await say(ask, send, 0)


async def inside_itself(ask, receive, send):
    await accept(ask, receive, send)
    own = asyncio.current_task().get_coro()
    with contextlib.suppress(BaseException):
        (own.close, lambda: own.send(None), lambda: own.throw(ValueError("own")))[ask.variant % 3]()
    await say(ask, send, 0)
    await send({"type": "websocket.close"})


async def stubborn(ask, receive, send):
    """Does not take the end for one."""
    await accept(ask, receive, send)
    for index in range(20):
        with contextlib.suppress(BaseException):
            await say(ask, send, index)
        with contextlib.suppress(BaseException):
            await asyncio.wait_for(receive(), 0.01)


ACTS = {
    act.__name__: act
    for act in (
        echo, refuse, answer_instead, fail_first, fail_late, leave, flood, push, tasks_left, impatient, polls,
        inside_itself, stubborn,
    )
}
