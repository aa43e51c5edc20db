# SPDX-License-Identifier: MIT
"""What response filters are given, under WSGI and ASGI: the query says fields (f=Name:value), status and body."""

import asyncio
import time
from pathlib import Path
from urllib.parse import parse_qsl

TEXT = b"<p>a page that says the same again and again</p>\n"


def note(ask, what):
    """Tells the test, where it asks for that."""
    if "note" in ask:
        with open(ask["note"], "a") as log:
            log.write(what + "\n")


def asked(query):
    pairs = parse_qsl(query, encoding="latin-1", keep_blank_values=True)
    fields = [tuple(value.split(":", 1)) for name, value in pairs if name == "f"]
    ask = dict(pairs)
    if not any(name.lower() == "content-type" for name, _ in fields) and "bare" not in ask:
        fields.append(("Content-Type", "text/html"))
    return ask, fields


def body_of(ask):
    size = int(ask.get("size", "5000"))
    return (TEXT * (size // len(TEXT) + 1))[:size]


def wait_for(ask, index):
    """Until the test has made the file of this piece."""
    deadline = time.monotonic() + 30
    while "gate" in ask and not Path(f"{ask['gate']}{index}").exists() and time.monotonic() < deadline:
        yield 0.005


class Pieces:
    """An iterable that tells when it is closed."""

    def __init__(self, ask):
        self.ask = ask
        self.count = 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.count == int(self.ask["pieces"]):
            raise StopIteration
        for pause in wait_for(self.ask, self.count):
            time.sleep(pause)
        if self.ask.get("fail") == str(self.count):
            raise RuntimeError("on purpose")
        self.count += 1
        return f"piece {self.count}\n".encode() * int(self.ask.get("times", "1"))

    def close(self):
        note(self.ask, f"closed after {self.count}")


def application(environ, start_response):
    ask, fields = asked(environ["QUERY_STRING"])
    write = start_response(ask.get("status", "200 OK"), fields)
    kind = environ["PATH_INFO"]
    if kind == "/pieces":
        return Pieces(ask)
    if kind == "/write":
        for index in range(int(ask["pieces"])):
            write(f"piece {index + 1}\n".encode())
        return []
    if kind == "/file":
        return environ["wsgi.file_wrapper"](open(ask["path"], "rb"))
    if kind == "/once":
        return iter([body_of(ask)])
    return [body_of(ask)]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    ask, fields = asked(scope["query_string"].decode("latin-1"))
    try:
        await send({"type": "http.response.start", "status": int(ask.get("status", "200 OK").split()[0]),
                    "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]})
        if scope["path"] == "/pieces":
            for index in range(int(ask["pieces"])):
                for pause in wait_for(ask, index):
                    await asyncio.sleep(pause)
                if ask.get("fail") == str(index):
                    raise RuntimeError("on purpose")
                piece = f"piece {index + 1}\n".encode() * int(ask.get("times", "1"))
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        elif scope["path"] == "/file":
            await send({"type": "http.response.pathsend", "path": ask["path"]})
        else:
            await send({"type": "http.response.body", "body": body_of(ask)})
    finally:
        note(ask, "task ended")
