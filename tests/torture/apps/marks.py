# SPDX-License-Identifier: MIT
"""What a request asks of an application, and the marks by which its answer is told from another's.

Shared by the applications and the client: both know which bytes a mark stands for."""

import ctypes
import gc
import json
import os
import time
import zlib

BODY_PIECE = 1024

# What applications have the server send, of the folder that it serves in every round.
EVERYBODY = "/files-of-the-server/everybody"


class OnPurpose(Exception):
    """The failure that an act asks for: what else is logged as an error is a finding."""


def piece(mark: str, index: int, size: int) -> bytes:
    unit = b"%s.%06d;" % (mark.encode(), index)
    return (unit * (size // len(unit) + 1))[:size]


def pieces(mark: str, count: int, size: int) -> bytes:
    return b"".join(piece(mark, index, size) for index in range(count))


def request_body(mark: str, size: int) -> bytes:
    return pieces(mark, -(-size // BODY_PIECE), BODY_PIECE)[:size]


def reading(mark: str, body: bytes) -> bytes:
    """The line that tells what an application has read of its request's body."""
    return b"%s read %d %08x\n" % (mark.encode(), len(body), zlib.adler32(body))


class Ask:
    """The query of a request: its mark, the status wanted, `count` pieces of `size` bytes, a pause in
    seconds before each of them, and a number that varies what the act does."""

    def __init__(self, path: str, query: str):
        self.act = path.rpartition("/")[2]
        values = dict(part.partition("=")[::2] for part in query.split("&") if part)
        self.mark = values.get("m", "none")
        self.status = int(values.get("s", 200))
        self.count = int(values.get("n", 1))
        self.size = int(values.get("z", 10))
        self.pause = int(values.get("w", 0)) / 1000
        self.variant = int(values.get("v", 0))

    @property
    def fields(self) -> list[tuple[str, str]]:
        kind = "text/event-stream" if self.act == "event_stream" else "text/plain"
        return [("X-Mark", self.mark), ("Set-Cookie", f"mark={self.mark}"), ("Content-Type", kind)]

    def piece(self, index: int) -> bytes:
        return piece(self.mark, index, self.size)

    def pieces(self) -> bytes:
        return pieces(self.mark, self.count, self.size)

    def reading(self, body: bytes) -> bytes:
        return reading(self.mark, body)


def _allocated() -> int:
    """Bytes that are allocated and not freed; the resident size where no sanitizer counts them."""
    try:
        count = ctypes.CDLL(None).__sanitizer_get_current_allocated_bytes
    except AttributeError:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    count.restype = ctypes.c_size_t
    return count()


def state() -> bytes:
    for _ in range(3):
        gc.collect()
    found = {"pid": os.getpid(), "allocated": _allocated(), "objects": len(gc.get_objects())}
    return json.dumps(found).encode()


def note_lifespan(event: str) -> None:
    path = os.environ.get("TORTURE_LIFESPAN")
    if path:
        with open(path, "a", encoding="ascii") as file:
            file.write(f"{event} {os.getpid()} {time.monotonic():.3f}\n")
