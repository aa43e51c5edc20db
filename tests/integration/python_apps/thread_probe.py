# SPDX-License-Identifier: MIT
"""WSGI applications for the tests of --threads. The first segment of the path names one."""

import sys
import threading
import time

lock = threading.Lock()
inside = 0
most = 0
barrier = threading.Barrier(4)
ends = []


def answer(start_response, text):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode("latin-1")]


def meet(environ, start_response):
    """Goes on when four requests are inside at the same time."""
    barrier.wait(timeout=20)
    return answer(start_response, threading.current_thread().name)


def quick(environ, start_response):
    return answer(start_response, repr(environ["wsgi.multithread"]))


def length(environ, start_response):
    return answer(start_response, str(len(environ["wsgi.input"].read())))


def stuck(environ, start_response):
    try:
        while True:
            time.sleep(0.05)
    except BaseException as error:
        ends.append(type(error).__name__)
        raise


def ended(environ, start_response):
    return answer(start_response, " ".join(ends))


def pieces(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    count = int(environ["QUERY_STRING"])
    return (b"%06d" % number * 1000 for number in range(count))


def large(environ, start_response):
    start_response("200 OK", [("Content-Length", "3000000")])
    return [b"y" * 3_000_000]


def broken(environ, start_response):
    raise ValueError("on purpose")


def broken_behind(environ, start_response):
    """Fails behind a part of its body, which is longer than what a socket takes at once."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"z" * int(environ["QUERY_STRING"])
    raise ValueError("behind a part")


def replaced_behind(environ, start_response):
    """Wants another head when the first one can be no more."""
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"begin")
    try:
        raise ValueError("too late for another head")
    except ValueError:
        start_response("500 No", [("Content-Type", "text/plain")], sys.exc_info())
    return [b"another"]


def written(environ, start_response):
    write = start_response("200 OK", [])
    write(b"one ")
    write(b"two ")
    return [b"three"]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].split("/")[1]](environ, start_response)
