# SPDX-License-Identifier: MIT
"""WSGI applications that use write(). The first segment of the path names one.

What happens is noted in the file that $NOTES names, a line each.
"""

import os
import sys
import threading
from urllib.parse import parse_qs

TEXT = ("Content-Type", "text/plain")
threads = []


def note(text):
    with open(os.environ["NOTES"], "a") as file:
        file.write(text + "\n")


def option(environ, name, default=None):
    return parse_qs(environ["QUERY_STRING"]).get(name, [default])[0]


def quick(environ, start_response):
    start_response("200 OK", [TEXT])
    return [b"quick"]


def pass_gate(environ):
    path = option(environ, "gate")
    with open(path + ".in", "wb", buffering=0) as announce:
        announce.write(b"!")
    with open(path + ".out", "r+b", buffering=0) as release:
        release.read(1)


def gated(environ, start_response):
    """Blocks between two pieces."""
    write = start_response("200 OK", [TEXT])
    write(b"first")
    pass_gate(environ)
    write(b"second")
    return []


def framed(environ, start_response):
    length = option(environ, "length")
    write = start_response("200 OK", [TEXT] if length is None else [TEXT, ("Content-Length", length)])
    write(b"")
    write(b"one ")
    write(b"two ")
    return {"list": [b"three"], "iterator": iter([b"", b"thr", b"ee"]), "nothing": []}[option(environ, "rest")]


def large(environ, start_response):
    """So many megabytes; `noted` as they are out."""
    write = start_response("200 OK", [TEXT])
    try:
        for number in range(int(option(environ, "megabytes"))):
            write(b"%06d\n" % number * 142_858)
    except BaseException as error:
        note(f"{type(error).__name__}: {error}")
        raise
    note("all written")
    return []


def replaced(environ, start_response):
    """Wants another head when the first one can be no more."""
    write = start_response("200 OK", [TEXT])
    write(b"begin")
    try:
        raise ValueError("too late for another head")
    except ValueError:
        start_response("500 No", [TEXT], sys.exc_info())
    return [b"another"]


def crowd(environ, start_response):
    """Many threads write one response."""
    write = start_response("200 OK", [TEXT])

    def repeat(letter):
        for _ in range(200):
            write(letter * 1000)

    writers = [threading.Thread(target=repeat, args=(letter,)) for letter in (b"a", b"b", b"c", b"d")]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    return [b"end"]


def beside(environ, start_response):
    """Ends, or goes on as a generator, while a thread of its own is in write()."""
    write = start_response("200 OK", [TEXT])

    def keep_writing():
        try:
            while True:
                write(b"x" * int(option(environ, "size", "5000000")))
                note("written")
        except (ConnectionError, RuntimeError) as error:
            note(type(error).__name__)

    thread = threading.Thread(target=keep_writing)
    threads.append(thread)
    thread.start()
    pass_gate(environ)
    if option(environ, "goes_on") is None:
        return []
    return (b"y" * 1000 for _ in range(100))


def threads_ended(environ, start_response):
    for each in threads:
        each.join(5)
    start_response("200 OK", [TEXT])
    return [repr([each.is_alive() for each in threads]).encode()]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].split("/")[1]](environ, start_response)
