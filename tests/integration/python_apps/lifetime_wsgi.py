# SPDX-License-Identifier: MIT
"""WSGI requests that leave something behind, or are left. The first segment of the path names one."""

import os
import threading
import time

after = []


def answer(start_response, text, status="200 OK"):
    body = text.encode("latin-1")
    start_response(status, [("Content-Length", str(len(body)))])
    return [body]


def pid(environ, start_response):
    return answer(start_response, str(os.getpid()))


def what_came_after(environ, start_response):
    return answer(start_response, " ".join(after))


def read_beside(environ):
    """Another thread, or greenlet where those are patched, is in a read when this returns."""
    source = environ["wsgi.input"]

    def read():
        try:
            after.append(str(len(source.read())))
        except Exception as error:
            after.append(type(error).__name__)

    threading.Thread(target=read, daemon=True).start()
    time.sleep(0.05)


def echo(environ, start_response):
    source = environ["wsgi.input"]
    start_response("200 OK", [])
    return iter(lambda: source.read1(8192), b"")


def last(environ, start_response):
    start_response("200 OK", [("Connection", "close")])
    return [b"z" * 800_000]


def early(environ, start_response):
    read_beside(environ)
    return answer(start_response, "early")


def fails(environ, start_response):
    read_beside(environ)
    raise ValueError("on purpose")


def streams_early(environ, start_response):
    read_beside(environ)
    start_response("200 OK", [])
    for number in range(3):
        yield b"piece %d\n" % number
        time.sleep(0.01)


def timeout_around_read(environ, start_response):
    import gevent

    try:
        with gevent.Timeout(0.1):
            environ["wsgi.input"].read()
    except gevent.Timeout:
        return answer(start_response, "too slow", "408 Request Timeout")
    return answer(start_response, "read")


def timeout_around_stream(environ, start_response):
    """Its client takes nothing; the body is unread."""
    import gevent

    write = start_response("200 OK", [])
    try:
        with gevent.Timeout(0.3):
            while True:
                write(b"x" * 1_000_000)
    except gevent.Timeout:
        after.append("timeout")
    return []


def progress(environ, start_response):
    """Tells how much has come, from one greenlet, while another reads."""
    source = environ["wsgi.input"]
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    count = 0
    done = threading.Event()

    def tell():
        while not done.is_set():
            write(b"%d\n" % count)
            time.sleep(0.01)

    teller = threading.Thread(target=tell)
    teller.start()
    while piece := source.read1(65536):
        count += len(piece)
    done.set()
    teller.join()
    return [b"all %d\n" % count]


def two_readers(environ, start_response):
    """Each piece goes to one of them."""
    source = environ["wsgi.input"]
    pieces = []

    def read():
        while piece := source.read(10):
            pieces.append(piece)
            time.sleep(0.001)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for each in readers:
        each.start()
    for each in readers:
        each.join()
    return answer(start_response, b"".join(sorted(pieces)).decode())


def two_writers(environ, start_response):
    write = start_response("200 OK", [])

    def send(name):
        for _ in range(50):
            write(name * 1000)

    writers = [threading.Thread(target=send, args=(name,)) for name in (b"a", b"b", b"c")]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    return []


def endless(environ, start_response):
    write = start_response("200 OK", [])
    try:
        while True:
            write(b"x" * 100_000)
    finally:
        after.append("ended")


class Slow:
    def __repr__(self):
        time.sleep(0.6)
        return "slow"


def lazy(environ, start_response):
    """The headers are made while they are asked for, which takes its time."""

    def headers():
        time.sleep(0.6)
        yield ("X-Lazy", "1")

    start_response("200 OK", headers())
    return [b"lazy"]


def wrong(environ, start_response):
    """What is wrong is shown by code that takes its time."""
    start_response("200 OK", [Slow()])
    return [b"wrong"]


def own(environ, start_response):
    """Its answer is known from its query, in every part."""
    mark = environ["QUERY_STRING"]
    start_response("403 Forbidden", [("X-Mark", mark), ("Set-Cookie", mark)])

    def body():
        time.sleep(0.05)
        yield mark.encode()

    return body()


def pieces_without_end(environ, start_response):
    start_response("200 OK", [])
    while True:
        yield b"x" * 100_000


def application(environ, start_response):
    name = environ["PATH_INFO"].split("/")[1]
    return globals()[name](environ, start_response)
