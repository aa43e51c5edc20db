# SPDX-License-Identifier: MIT
"""WSGI applications whose threads do not end with their request. The first segment of the path names one.

What happens is noted in the file that $NOTES names, a line each: the worker may be gone when it is read.
"""

import atexit
import os
import threading
import time

own_threads = []


def note(text):
    with open(os.environ["NOTES"], "a") as file:
        file.write(text + "\n")


atexit.register(note, "atexit")


def answer(start_response, text):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode("latin-1")]


def quick(environ, start_response):
    return answer(start_response, "quick")


def asleep(environ, start_response):
    """In C, where no exception reaches it."""
    note("inside")
    time.sleep(60)


def busy(environ, start_response):
    """Never gives the interpreter away by itself, and needs a moment to clean up."""
    try:
        note("inside")
        while True:
            pass
    except BaseException as error:
        note(type(error).__name__)
        raise
    finally:
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            time.sleep(0.01)
        note("cleaned up")


def stubborn(environ, start_response):
    """Takes no notice of the end of its request."""
    while True:
        try:
            note("inside")
            while True:
                time.sleep(0.001)
        except BaseException as error:
            note(type(error).__name__)


def streaming(environ, start_response):
    """Waits for its client in the server's code, not in its own."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        note("inside")
        while True:
            yield b"x" * 1_000_000
    finally:
        note("cleaned up")


def written_beside(environ, start_response):
    """Ends while a thread of its own is in write(), waiting for room."""
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    written = []

    def keep_writing():
        try:
            while True:
                write(b"x" * 100_000)
                written.append(None)
        except BaseException as error:
            note(f"{type(error).__name__}: {error}")

    thread = threading.Thread(target=keep_writing)
    thread.start()
    own_threads.append(thread)
    before = -1
    while before != len(written):
        before = len(written)
        time.sleep(0.3)
    note("left")
    return []


def crowd(environ, start_response):
    """Many threads of its own are in write(), waiting for room, until its request ends."""
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    written = []

    def keep_writing():
        try:
            while True:
                write(b"x" * 100_000)
                written.append(None)
        except ConnectionError:
            pass

    for _ in range(300):
        threading.Thread(target=keep_writing, daemon=True).start()
    before = -1
    while before != len(written):
        before = len(written)
        time.sleep(0.3)
    note("inside")
    while True:
        time.sleep(0.01)


def own_threads_ended(environ, start_response):
    return answer(start_response, repr([thread.is_alive() for thread in own_threads]))


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].split("/")[1]](environ, start_response)
