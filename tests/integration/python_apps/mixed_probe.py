# SPDX-License-Identifier: MIT
"""WSGI on greenlets and ASGI on asyncio that wait for each other, in one worker."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import unittest.mock

import gevent
import gevent.os
from gevent.event import Event


class CollectedBeforeItReturns(subprocess.Popen):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        while self.poll() is None:
            time.sleep(0.001)


class CollectedButGeventLearnsLater(CollectedBeforeItReturns):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        children = gevent.os._watched_children
        status, children[self.pid] = children[self.pid], "a watcher"
        gevent.spawn_later(0.03, children.__setitem__, self.pid, status)


seen = []
gates = {}


def gate(name):
    return gates.setdefault(name, Event())


def pidfd_of_a_collected_child():
    pid = CollectedBeforeItReturns(["true"]).pid
    try:
        return f"descriptor {os.pidfd_open(pid)}"
    except ProcessLookupError:
        return "no such process"


def wsgi(environ, start_response):
    path = environ["PATH_INFO"]
    name = environ["QUERY_STRING"]
    body = "wsgi"
    if path == "/sleep":
        time.sleep(0.2)
    elif path == "/forever":
        while True:
            time.sleep(0.1)
    elif path == "/wait":
        body = "opened" if gate(name).wait(10) else "nobody came"
    elif path == "/asyncio":
        async def two():
            await asyncio.sleep(0.01)
            return await asyncio.gather(asyncio.sleep(0.01, 20), asyncio.sleep(0.02, 22))

        body = str(sum(asyncio.run(two())))
    elif path == "/loop":
        try:
            asyncio.get_running_loop()
            body = "a loop runs"
        except RuntimeError:
            body = "no loop"
    elif path == "/pidfd":
        body = pidfd_of_a_collected_child()
    elif path == "/ask":
        with socket.create_connection(("127.0.0.1", int(environ["SERVER_PORT"]))) as sock:
            sock.sendall(b"GET /api/hello HTTP/1.0\r\nHost: x\r\n\r\n")
            body = b"".join(iter(lambda: sock.recv(65536), b"")).decode().rpartition("\r\n")[2]
    start_response("200 OK", [])
    return [body.encode()]


async def lifespan(receive, send):
    while True:
        event = await receive()
        seen.append(event["type"])
        await send({"type": event["type"] + ".complete"})
        if event["type"] == "lifespan.shutdown":
            print("shut down in order", flush=True)
            return


async def read(reader):
    return (await reader.read()).decode().rpartition("\r\n")[2]


async def answer(scope):
    path = scope["path"].removeprefix(scope["root_path"])
    name = scope["query_string"].decode()
    if path == "/hello":
        return "hello"
    if path == "/sleep":
        await asyncio.sleep(0.2)
        return "slept"
    if path == "/forever":
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
    if path == "/open":
        gate(name).set()
        return "opened"
    if path == "/thread":
        return await asyncio.to_thread(lambda: time.sleep(0.05) or "from a thread")
    if path == "/blocking-waits":
        """A blocking call of a patched module in a coroutine waits for greenlets, as anywhere."""
        return str(await asyncio.get_running_loop().run_in_executor(None, gate(name).wait, 10))
    if path == "/ask":
        reader, writer = await asyncio.open_connection("127.0.0.1", scope["server"][1])
        writer.write(b"GET /loop HTTP/1.0\r\nHost: x\r\n\r\n")
        found = await read(reader)
        writer.close()
        return found
    if path == "/blocks-for-long":
        time.sleep(60)
    if path == "/blocks":
        time.sleep(0.1)
        return "blocked"
    if path == "/process":
        child = await asyncio.create_subprocess_exec("echo", "from a child", stdout=subprocess.PIPE)
        out, _ = await child.communicate()
        return out.decode().strip()
    if path in ("/process_that_ended", "/process_that_just_ended"):
        if sys.version_info < (3, 12):  # later ones watch children by pidfds unasked
            watcher = asyncio.PidfdChildWatcher()
            watcher.attach_loop(asyncio.get_running_loop())
            asyncio.set_child_watcher(watcher)
        how = CollectedBeforeItReturns if path == "/process_that_ended" else CollectedButGeventLearnsLater
        with unittest.mock.patch("subprocess.Popen", how):
            child = await asyncio.create_subprocess_exec("sh", "-c", "exit 7")
        return str(await child.wait())
    if path == "/seen":
        return json.dumps(seen)
    if path == "/background":
        asyncio.get_running_loop().call_later(0.02, seen.append, "later")
        asyncio.create_task(asyncio.sleep(3600))
        return "begun"
    if path == "/busy":
        for _ in range(20_000):
            await asyncio.sleep(0)
        return "busy no more"
    return "nothing here"


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            await asyncio.sleep(0.001)
            await send({"type": "websocket.send", "text": event["text"].upper()})
        return
    body = (await answer(scope)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
