# SPDX-License-Identifier: MIT
"""A WSGI application whose memory and descriptors are damaged on demand: /MANNER?SEED."""

import contextlib
import ctypes
import fcntl
import os
import random
import socket
import stat
import struct

# So much of a mapping is written over; what is read of a slot lies in front.
REACH = 1 << 20


def shared_mappings():
    """(address, length) of what this process shares with others and may write."""
    with open("/proc/self/maps") as lines:
        for line in lines:
            where, rights, *_ = line.split()
            if rights == "rw-s":
                first, last = (int(each, 16) for each in where.split("-"))
                yield first, min(last - first, REACH)


def overwrite(piece):
    """Repeats a piece of a page at most over everything shared."""
    for address, length in shared_mappings():
        pattern = piece * (length // len(piece))
        ctypes.memmove(address, pattern, len(pattern))


def garbage(chance):
    overwrite(chance.randbytes(4096))


def ones(chance):
    overwrite(b"\xff" * 64)


def zeros(chance):
    overwrite(b"\0" * 64)


def small_numbers(chance):
    overwrite(b"".join(struct.pack("=I", chance.randrange(8)) for _ in range(16)))


def largest_times(chance):
    overwrite(struct.pack("=q", chance.choice([2**63 - 1, 2**62, -(2**63), -1])))


def some_words(chance):
    for address, length in shared_mappings():
        for _ in range(200):
            ctypes.memmove(address + chance.randrange(0, min(length, 8192) - 8), chance.randbytes(8), 8)


def descriptors():
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        with contextlib.suppress(OSError):
            yield fd, os.fstat(fd)


def flags(chance):
    for fd, _ in descriptors():
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, fcntl.F_SETFL, chance.choice([0, os.O_APPEND]))
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, fcntl.F_SETFD, 0)


def noise(chance):
    """Writes to whatever leads to another process of the server."""
    for fd, found in descriptors():
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(found.st_mode):
                with socket.socket(fileno=os.dup(fd)) as end:
                    if end.family == socket.AF_UNIX:
                        end.send(chance.randbytes(chance.choice([1, 20, 5000])), socket.MSG_DONTWAIT)
            elif os.readlink(f"/proc/self/fd/{fd}") == "anon_inode:[eventfd]":
                os.write(fd, struct.pack("=Q", 1))


MANNERS = [garbage, ones, zeros, small_numbers, largest_times, some_words, flags, noise]


def app(environ, start_response):
    manner = environ["PATH_INFO"].strip("/")
    for each in MANNERS:
        if each.__name__ == manner:
            each(random.Random(environ["QUERY_STRING"]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
