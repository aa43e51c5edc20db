# SPDX-License-Identifier: MIT
"""WSGI and ASGI: requests that stay inside until they are let go, or for a while, and what they are told."""

import asyncio
import os
import time
import urllib.parse


def wait_for_file(path):
    while not os.path.exists(path):
        yield 0.005


def compute(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def compute_until_there(path):
    while not os.path.exists(path):
        compute(0.01)


def told(environ):
    seconds = environ.get("unicoro.queue_time")
    return "none" if seconds is None else f"{seconds:.6f}"


def app(environ, start_response):
    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    environ["wsgi.input"].read()
    if "note" in query:
        with open(query["note"], "a", encoding="utf-8") as file:
            file.write(query["name"] + "\n")
    for pause in wait_for_file(query["until"]) if "until" in query else ():
        time.sleep(pause)
    compute(float(query.get("compute", 0)))
    time.sleep(float(query.get("seconds", 0)))
    body = told(environ).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    query = dict(urllib.parse.parse_qsl(scope["query_string"].decode()))
    while (await receive()).get("more_body"):
        pass
    if "note" in query:
        with open(query["note"], "a", encoding="utf-8") as file:
            file.write(query["name"] + "\n")
    for pause in wait_for_file(query["until"]) if "until" in query else ():
        await asyncio.sleep(pause)
    compute(float(query.get("compute", 0)))
    if "aside" in query:
        await asyncio.to_thread(compute_until_there, query["aside"])
    await asyncio.sleep(float(query.get("seconds", 0)))
    waited = scope["extensions"].get("unicoro.queue_time")
    body = b"none" if waited is None else b"%.6f" % waited["seconds"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
