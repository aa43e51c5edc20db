# SPDX-License-Identifier: MIT
"""WSGI acts that only greenlets can do, on gevent or eventlet, beside those of wsgi_acts."""

import atexit
import time

import wsgi_acts
from marks import OnPurpose
from wsgi_acts import ACTS, begin, nap, whole


class Gevent:
    def __init__(self):
        import gevent

        self.Timeout = gevent.Timeout
        self.spawn = gevent.spawn
        self.Exit = gevent.GreenletExit

    def kill(self, greenlet):
        greenlet.kill(block=False)

    def late_timeout(self, seconds):
        self.Timeout.start_new(seconds)


class Eventlet:
    def __init__(self):
        import eventlet
        import greenlet

        self.Timeout = eventlet.Timeout
        self.spawn = eventlet.spawn
        self.Exit = greenlet.GreenletExit

    def kill(self, greenlet):
        greenlet.kill()

    def late_timeout(self, seconds):
        self.Timeout(seconds)


library = None

# Python's own end waits in the hub once more.
atexit.register(lambda: time.sleep(0.02))


def read_all(environ):
    try:
        return environ["wsgi.input"].read()
    except (OSError, RuntimeError):
        return b""


def timeout_read(ask, environ, start_response):
    """The body in time, or an answer without it."""
    try:
        with library.Timeout(ask.pause or 0.05):
            environ["wsgi.input"].read()
    except library.Timeout:
        pass
    return whole(ask, start_response, ask.pieces())


def timeout_reads(ask, environ, start_response):
    """Reads that are given up and begun again until the body is whole."""
    source, body = environ["wsgi.input"], b""
    ways = (lambda: source.read1(5000), lambda: source.read(9000), source.read, source.readline)
    for turn in range(1000):
        try:
            with library.Timeout(0.02):
                piece = ways[(ask.variant + turn) % len(ways)]()
        except library.Timeout:
            continue
        if not piece:
            break
        body += piece
    return whole(ask, start_response, ask.reading(body) + ask.pieces())


def timeout_stream(ask, environ, start_response):
    """A streamed answer that is given up, with a body that nobody read."""
    begin(ask, start_response)
    try:
        with library.Timeout(ask.pause or 0.05):
            for index in range(ask.count):
                time.sleep(0.002)
                yield ask.piece(index)
    except library.Timeout:
        pass


def timeout_write(ask, environ, start_response):
    write = begin(ask, start_response)
    try:
        with library.Timeout(ask.pause or 0.05):
            for index in range(ask.count):
                write(ask.piece(index))
    except library.Timeout:
        if ask.variant % 2:
            write(ask.piece(0))
    return []


def timeout_left(ask, environ, start_response):
    """Its timeout comes after its end, and is for nobody then."""
    library.late_timeout(0.03)
    return whole(ask, start_response, ask.pieces())


def reader_left(ask, environ, start_response):
    """Answers, or fails, while a greenlet of its own still reads."""
    library.spawn(read_all, environ)
    nap(ask)
    if ask.variant % 3 == 0:
        raise OnPurpose(ask.mark)
    if ask.variant % 3 == 1:
        return whole(ask, start_response, ask.pieces())
    begin(ask, start_response)
    return (ask.piece(index) for index in range(ask.count))


def reader_killed(ask, environ, start_response):
    reader = library.spawn(read_all, environ)
    time.sleep(0.002)
    library.kill(reader)
    time.sleep(0)
    body = read_all(environ) if ask.variant % 2 else b""
    return whole(ask, start_response, (ask.reading(body) if ask.variant % 2 else b"") + ask.pieces())


def duplex(ask, environ, start_response):
    """Reads in one greenlet and writes in another at the same time: progress while uploading."""
    done = []

    def read():
        read_all(environ)
        done.append(True)

    write = begin(ask, start_response)
    library.spawn(read)
    for index in range(ask.count):
        write(ask.piece(index))
        time.sleep(0.001)
    for _ in range(500):
        if done:
            break
        time.sleep(0.01)
    return []


def killed(ask, environ, start_response):
    """GreenletExit, as a kill() from elsewhere raises it."""
    if ask.variant % 2:
        begin(ask, start_response)(ask.piece(0))
    raise library.Exit()


def two_readers(ask, environ, start_response):
    others = [library.spawn(read_all, environ) for _ in range(2)]
    read_all(environ)
    for other in others:
        library.kill(other)
    return whole(ask, start_response, ask.pieces())


for act in (
    timeout_read, timeout_reads, timeout_stream, timeout_write, timeout_left, reader_left, reader_killed,
    duplex, killed, two_readers,
):
    ACTS[act.__name__] = act


def on_gevent(environ, start_response):
    global library
    library = library or Gevent()
    return wsgi_acts.app(environ, start_response)


def on_eventlet(environ, start_response):
    global library
    library = library or Eventlet()
    return wsgi_acts.app(environ, start_response)
