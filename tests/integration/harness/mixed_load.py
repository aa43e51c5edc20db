# SPDX-License-Identifier: MIT
"""Clients of every kind side by side, which count each request: python_apps/load_probe.py answers them."""

import asyncio
import collections
import os
import struct
import threading
import time

from .frames import CLOSE, TEXT, frame, handshake
from .waiting import LONG, wait_until

KINDS = ("kept", "each", "idle", "posted", "websocket", "events")
TOLD = {1001, 1012}  # a server that goes may close a WebSocket with these


class Lost(Exception):
    """What a client was promised did not come."""


class Unanswered(Lost):
    """The connection ended before a byte of the response."""


class Connection:
    """One connection of a client in the loop of the load."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, address):
        opened = asyncio.open_unix_connection(address) if isinstance(address, str) else \
            asyncio.open_connection(*address)
        return cls(*await asyncio.wait_for(opened, LONG))

    def close(self):
        self.writer.close()

    async def send(self, data: bytes):
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), LONG)

    async def until(self, end: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(end), LONG)

    async def exactly(self, count: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(count), LONG)

    async def head(self):
        """Status and fields."""
        try:
            text = await self.until(b"\r\n\r\n")
        except asyncio.IncompleteReadError as cut:
            raise (Lost if cut.partial else Unanswered)(f"closed after {cut.partial[:80]!r}") from None
        except ConnectionError as failure:
            raise Unanswered(repr(failure)) from None
        first, *lines = text.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines if line)
        return int(first.split(" ")[1]), fields

    async def ask(self, target="/pid", body=b"", close=False):
        """A request with its whole response: the body, and whether the connection stays."""
        lines = [f"{'POST' if body else 'GET'} {target} HTTP/1.1", "Host: load.example"]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        if close:
            lines.append("Connection: close")
        try:
            await self.send("\r\n".join([*lines, "", ""]).encode() + body)
        except ConnectionError as failure:
            raise Unanswered(repr(failure)) from None
        status, fields = await self.head()
        if status != 200:
            raise Lost(f"status {status}")
        answer = await self.exactly(int(fields["content-length"]))
        return answer, fields.get("connection") != "close"

    async def piece(self) -> bytes:
        """A piece of a chunked body; empty at its end."""
        size = int(await self.until(b"\r\n"), 16)
        return (await self.exactly(size + 2))[:size]

    async def message(self):
        """Kind and payload of a WebSocket message of one short frame."""
        first, second = await self.exactly(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await self.exactly(2))
        return first & 0x0F, await self.exactly(size)


class MixedLoad:
    """While open, `clients` of each of the `kinds` ask without a pause (those of `idle` with one).

    `done` counts by kind what went as it should, `lost` says what did not. A GET on a kept connection that
    the server closed meanwhile is sent again on a new one, as every HTTP client does (RFC 9112, 9.3.1), and
    is lost only if that fails too. A WebSocket may be closed with 1001 or 1012, and a stream of events may
    end before its time, if it ends properly; the client then begins anew. `workers` counts the answers of
    each worker by the body of /pid."""

    def __init__(self, address, kinds=KINDS, clients: int = 3):
        self.address = address
        self.done = collections.Counter()
        self.lost: list[str] = []
        self.workers = collections.Counter()
        self._work = [getattr(self, "_" + kind) for kind in kinds for _ in range(clients)]
        self._kinds = kinds
        self.clients = len(self._work)
        self._end = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join(2 * LONG)
        assert not self._thread.is_alive(), "a client of the load hangs"

    @property
    def requests(self) -> int:
        return sum(self.done.values())

    def wait_more(self, count: int = 20, what: str = "the load goes on", seconds: float = LONG):
        """Until each kind has done `count` more."""
        before = dict(self.done)
        wait_until(lambda: all(self.done[kind] >= before.get(kind, 0) + count for kind in self._kinds),
                   f"{what}: {before}", seconds)

    def check(self):
        assert self.lost == [], f"{len(self.lost)} lost of {self.requests}: {self.lost[:10]}"

    async def _all(self):
        await asyncio.gather(*[self._repeat(work) for work in self._work])

    async def _repeat(self, work):
        while not self._end.is_set():
            try:
                await work()
            except (Lost, OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as failure:
                at = time.strftime("%H:%M:%S")
                self.lost.append(f"{at} {work.__name__[1:]}: {type(failure).__name__} {failure}")
                await asyncio.sleep(0.02)

    def _note(self, kind, answer=b""):
        self.done[kind] += 1
        if answer:
            self.workers[answer] += 1

    async def _requests(self, kind, most, pause=None):
        """So many requests on one connection; a last one that a close has met goes on a new one."""
        connection = await Connection.open(self.address)
        try:
            for number in range(most):
                try:
                    answer, stays = await connection.ask()
                except Unanswered:
                    if number == 0:
                        raise
                    return await self._requests(kind, 1)
                self._note(kind, answer)
                if not stays or self._end.is_set():
                    return
                if pause is not None:
                    await asyncio.sleep(pause())
        finally:
            connection.close()

    async def _kept(self):
        await self._requests("kept", 1000)

    async def _idle(self):
        await self._requests("idle", 10, lambda: 0.05 + os.urandom(1)[0] / 1000)

    async def _each(self):
        connection = await Connection.open(self.address)
        try:
            answer, stays = await connection.ask(close=True)
            if stays:
                raise Lost("the connection was to be closed")
            self._note("each", answer)
        finally:
            connection.close()

    async def _posted(self):
        body = os.urandom(20_000)
        connection = await Connection.open(self.address)
        try:
            answer, _ = await connection.ask("/echo", body, close=True)
            if answer != body:
                raise Lost("another body came back")
            self._note("posted")
        finally:
            connection.close()

    async def _websocket(self):
        connection = await Connection.open(self.address)
        try:
            await connection.send(handshake("/websocket"))
            status, _ = await connection.head()
            if status != 101:
                raise Lost(f"status {status} for a WebSocket")
            for number in range(20):
                text = b"message %d" % number
                await connection.send(frame(TEXT, text))
                kind, payload = await connection.message()
                if kind == CLOSE and struct.unpack("!H", payload[:2])[0] in TOLD:
                    break
                if (kind, payload) != (TEXT, text):
                    raise Lost(f"frame {kind} with {payload[:40]!r}")
                await asyncio.sleep(0.02)
            self._note("websocket")
            await connection.send(frame(CLOSE, struct.pack("!H", 1000)))
        except ConnectionError as failure:
            raise Lost(f"a WebSocket was cut: {failure!r}") from None
        finally:
            connection.close()

    async def _events(self):
        connection = await Connection.open(self.address)
        try:
            await connection.send(b"GET /events HTTP/1.1\r\nHost: load.example\r\n\r\n")
            status, _ = await connection.head()
            if status != 200:
                raise Lost(f"status {status} for events")
            come = b""
            while come.count(b"\n\n") < 20:
                piece = await connection.piece()
                if not piece:
                    break
                come += piece
            expected = b"".join(b"data: %d\n\n" % number for number in range(100))
            if not expected.startswith(come):
                raise Lost(f"events {come[-80:]!r}")
            self._note("events")
        finally:
            connection.close()
