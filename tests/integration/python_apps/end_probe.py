# SPDX-License-Identifier: MIT
"""WSGI applications that run until they are ended. The first segment of the path names one.

What happens is noted in the file that $NOTES names, a line each: the worker may be gone when it is read.
"""

import atexit
import ctypes
import os
import threading
import time
from urllib.parse import parse_qs

TEXT = ("Content-Type", "text/plain")


def note(text):
    with open(os.environ["NOTES"], "a") as file:
        file.write(text + "\n")


atexit.register(note, "atexit")


def option(environ, name, default=None):
    return parse_qs(environ["QUERY_STRING"]).get(name, [default])[0]


class Told:
    """Notes what ends the code in it."""

    def __enter__(self):
        note("inside")

    def __exit__(self, _, error, trace):
        if error is not None:
            names = [each.__name__ for each in type(error).__mro__]
            note(" ".join(each for each in names if each in ("RequestCancelled", "SystemExit", "GeneratorExit")))
        note("cleaned up")


def quick(environ, start_response):
    start_response("200 OK", [TEXT])
    return [b"quick"]


def asleep(environ, start_response):
    """For so many seconds."""
    with Told():
        time.sleep(float(option(environ, "seconds", "60")))
    return quick(environ, start_response)


def busy(environ, start_response):
    with Told():
        while True:
            pass


def locked(environ, start_response):
    with Told(), threading.Semaphore(0):
        pass


def stream(environ, start_response):
    """Many small steps."""
    start_response("200 OK", [TEXT])
    with Told():
        while True:
            yield b"."
            time.sleep(0.02)


def writing(environ, start_response):
    """To a client that does not read."""
    write = start_response("200 OK", [TEXT])
    with Told():
        while True:
            write(b"x" * 1_000_000)


def stubborn(environ, start_response):
    """Takes no notice."""
    while True:
        try:
            with Told():
                while True:
                    time.sleep(0.01)
        except BaseException:
            pass


def in_c(environ, start_response):
    """Never comes back to the interpreter, whatever signal comes."""
    note("inside")
    mutex = ctypes.create_string_buffer(128)
    libc = ctypes.CDLL(None)
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_lock(mutex)


def spinning_beside(environ, start_response):
    """Holds up the greenlets of all others."""
    import gevent

    with Told():
        gevent.sleep(0)
        while True:
            pass


def cooperative(environ, start_response):
    import gevent

    with Told():
        gevent.sleep(60)


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].split("/")[1]](environ, start_response)
