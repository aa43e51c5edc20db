# SPDX-License-Identifier: MIT
"""ASGI requests that leave something behind, or are left. The first segment of the path names one."""

import asyncio
import contextlib
import os

kept = set()


def keep(coroutine):
    task = asyncio.ensure_future(coroutine)
    kept.add(task)
    return task


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4


async def respond(send, body):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def drain(receive):
    while (await receive()).get("more_body"):
        pass


async def listen(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


async def pid(receive, send):
    await respond(send, str(os.getpid()).encode())


async def events(receive, send):
    """Server-sent events as frameworks do them: the task that sends comes before the one that listens."""

    async def stream():
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(1000):
            piece = b"data: %d\n\n" % number
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0.01)

    tasks = [asyncio.ensure_future(stream()), asyncio.ensure_future(listen(receive))]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def body(receive, send):
    await drain(receive)
    await respond(send, b"read")


async def listening(receive, send):
    """Waits beside a listener, as Django does."""
    await drain(receive)
    keep(listen(receive))
    await asyncio.sleep(60)


async def orphans(receive, send):
    """Answers, and leaves two that receive and one that sends."""

    async def babble():
        with contextlib.suppress(RuntimeError):
            while True:
                await send({"type": "http.response.body", "body": b"late" * 10000, "more_body": True})
                await asyncio.sleep(0.01)

    keep(listen(receive))
    keep(listen(receive))
    await asyncio.sleep(0.01)
    await respond(send, b"answered")
    keep(babble())


async def polls(receive, send):
    """Asks and asks no more, often; answers with what that has cost, in KiB."""
    await drain(receive)
    before = resident()
    for _ in range(20_000):
        task = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await respond(send, str(resident() - before).encode())


async def into_itself(receive, send, how):
    own = asyncio.current_task().get_coro()
    try:
        how(own)
        outcome = "went through"
    except ValueError as error:
        outcome = str(error)
    await asyncio.sleep(0.01)
    await respond(send, outcome.encode())


async def closes_itself(receive, send):
    await into_itself(receive, send, lambda own: own.close())


async def sends_itself(receive, send):
    await into_itself(receive, send, lambda own: own.send(None))


async def throws_into_itself(receive, send):
    await into_itself(receive, send, lambda own: own.throw(KeyError("on purpose")))


async def websocket(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    keep(receive())
    await asyncio.sleep(0)
    await send({"type": "websocket.close"})


async def lifespan(receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    with open(os.environ["PROBE_STOPPED"], "a") as file:
        file.write("stopped\n")
    await send({"type": "lifespan.shutdown.complete"})


async def app(scope, receive, send):
    if scope["type"] == "http":
        await globals()[scope["path"].removeprefix(scope["root_path"]).split("/")[1]](receive, send)
    else:
        await globals()[scope["type"]](receive, send)
