# SPDX-License-Identifier: MIT
"""An ASGI application for the tests: the first segment of the path names what it does."""

import asyncio
import contextvars
import json
import os
import sys

variable = contextvars.ContextVar("variable", default="clean")
seen = []
MODE = os.environ.get("PROBE_LIFESPAN", "complete")


async def respond(send, body, status=200, headers=()):
    headers = [(b"content-type", b"text/plain"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read_body(receive):
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def hello(scope, receive, send):
    await respond(send, b"hello")


async def scope_of(scope, receive, send):
    shown = {key: value for key, value in scope.items() if key not in ("headers", "extensions")}
    shown["headers"] = [[name.decode(), value.decode()] for name, value in scope["headers"]]
    shown["extensions"] = sorted(scope.get("extensions") or {})
    shown["types"] = {key: type(value).__name__ for key, value in scope.items()}
    await respond(send, json.dumps(shown, default=repr).encode())


async def proxied(scope, receive, send):
    await respond(send, json.dumps(scope["extensions"]["proxy_protocol"]).encode())


async def sleep(scope, receive, send):
    await asyncio.sleep(0.3)
    await respond(send, b"slept")


async def stuck(scope, receive, send):
    try:
        while True:
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        seen.append("cancelled")
        raise


async def what_was_seen(scope, receive, send):
    await respond(send, " ".join(seen).encode())


async def echo(scope, receive, send):
    await respond(send, await read_body(receive))


async def duplex(scope, receive, send):
    """Answers each piece as it comes."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        message = await receive()
        await send({"type": "http.response.body", "body": message["body"], "more_body": True})
        if not message["more_body"]:
            break
    await send({"type": "http.response.body"})


async def stream(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for number in range(200):
        piece = b"%06d" % number * 10000
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


async def until_gone(scope, receive, send):
    """Streams until the client has gone."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await read_body(receive)
    listening = asyncio.ensure_future(receive())
    while not listening.done():
        await send({"type": "http.response.body", "body": b".", "more_body": True})
        await asyncio.sleep(0.01)
    seen.append(listening.result()["type"])


async def quiet_until_gone(scope, receive, send):
    await read_body(receive)
    seen.append((await receive())["type"])


async def background(scope, receive, send):
    await respond(send, b"answered")
    await asyncio.sleep(0.1)
    seen.append("went on")


async def context(scope, receive, send):
    before = variable.get()
    variable.set("dirty")
    await respond(send, before.encode())


async def standard(scope, receive, send):
    """Subprocess, executor, a server and a client, all on this loop."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print('from a child')", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()

    async def serve(reader, writer):
        writer.write((await reader.readline()).upper())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"over tcp\n")
    line = await reader.readline()
    writer.close()
    server.close()
    thread = await asyncio.to_thread(lambda: "in a thread")
    task = asyncio.current_task() is not None
    await respond(send, f"{out.decode().strip()}, {line.decode().strip()}, {thread}, {task}".encode())


async def broken(scope, receive, send):
    raise ValueError("on purpose")


async def broken_late(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    await asyncio.sleep(0.05)
    raise ValueError("on purpose")


async def body_first(scope, receive, send):
    await send({"type": "http.response.body", "body": b"x"})


async def silent(scope, receive, send):
    pass


async def state(scope, receive, send):
    await respond(send, scope["state"]["from"].encode())


async def websocket(scope, receive, send):
    assert (await receive())["type"] == "websocket.connect"
    if scope["path"] == "/denied":
        await send({"type": "websocket.close"})
        return
    await send({"type": "websocket.accept", "subprotocol": (scope["subprotocols"] or [None])[0]})
    if scope["path"] == "/outcomes":
        return await websocket_outcomes(receive, send)
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            seen.append(f"{message['code']}")
            return
        if message.get("text") == "close":
            await send({"type": "websocket.close", "code": 3001, "reason": "as told"})
        elif message.get("text") is not None:
            await send({"type": "websocket.send", "text": message["text"].upper()})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"][::-1]})


async def websocket_outcomes(receive, send):
    """Answers each message, a number, with so many bytes, and notes what became of it."""
    outcomes = []
    while (message := await receive())["type"] != "websocket.disconnect":
        try:
            await send({"type": "websocket.send", "bytes": b"x" * int(message["text"])})
            outcomes.append("sent")
        except OSError as error:
            outcomes.append(type(error).__name__)
    seen.append(",".join(outcomes))


async def lifespan(scope, receive, send):
    if MODE == "unknown":
        raise RuntimeError("no lifespan here")
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            if MODE == "failed":
                await send({"type": "lifespan.startup.failed", "message": "no database"})
                return
            if MODE == "raises":
                raise RuntimeError("cannot start")
            scope["state"]["from"] = "the lifespan"
            await send({"type": "lifespan.startup.complete"})
        else:
            with open(os.environ["PROBE_STOPPED"], "a") as file:
                file.write("stopped\n")
            await send({"type": "lifespan.shutdown.complete"})
            return


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(scope, receive, send)
    if scope["type"] == "websocket":
        return await websocket(scope, receive, send)
    path = scope["path"].removeprefix(scope["root_path"])
    await globals()[path.split("/")[1]](scope, receive, send)
