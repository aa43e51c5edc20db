# SPDX-License-Identifier: MIT
"""WSGI applications of every worker class: the last segment of the path names the act."""

import itertools
import tempfile
import threading
import time

import wsgi_websocket_acts
from marks import EVERYBODY, Ask, OnPurpose, state

# What requests of before left behind, for `afterwards` to use.
kept = []


def begin(ask, start_response, length=None):
    fields = list(ask.fields)
    if length is not None:
        fields.append(("Content-Length", str(length)))
    return start_response(f"{ask.status} Torture", fields)


def whole(ask, start_response, body):
    begin(ask, start_response, len(body))
    return [body]


def nap(ask):
    if ask.pause:
        time.sleep(ask.pause)


def plain(ask, environ, start_response):
    body = environ["wsgi.input"].read()
    return whole(ask, start_response, ask.reading(body) + ask.pieces())


def lines(ask, environ, start_response):
    source = environ["wsgi.input"]
    body = b"".join([source.readline(3000), *source.readlines(5000), *source])
    return whole(ask, start_response, ask.reading(body) + ask.pieces())


def slow(ask, environ, start_response):
    nap(ask)
    return plain(ask, environ, start_response)


def hinted(ask, environ, start_response):
    for index in range(ask.count):
        environ["wsgi.early_hints"]([("Link", ask.piece(index))])
        nap(ask)
    return plain(ask, environ, start_response)


def echo(ask, environ, start_response):
    begin(ask, start_response)
    source = environ["wsgi.input"]
    return iter(lambda: source.read(8192) if ask.variant % 2 else source.read1(8192), b"")


def stream(ask, environ, start_response):
    begin(ask, start_response)
    for index in range(ask.count):
        nap(ask)
        yield ask.piece(index)


def early(ask, environ, start_response):
    return whole(ask, start_response, ask.pieces())


def early_stream(ask, environ, start_response):
    begin(ask, start_response)
    return (ask.piece(index) for index in range(ask.count))


def partial(ask, environ, start_response):
    body = environ["wsgi.input"].read(1000)
    return whole(ask, start_response, ask.reading(body) + ask.pieces())


def fail_first(ask, environ, start_response):
    if ask.variant % 2:
        environ["wsgi.input"].read(100)
    if ask.variant % 3 == 0:
        begin(ask, start_response)
    nap(ask)
    raise OnPurpose(ask.mark)


def fail_late(ask, environ, start_response):
    begin(ask, start_response)
    for index in range(ask.count):
        nap(ask)
        yield ask.piece(index)
    raise OnPurpose(ask.mark)


class Closing:
    """An iterable whose close() does something."""

    def __init__(self, items, at_close):
        self._items = iter(items)
        self._at_close = at_close

    def __iter__(self):
        return self._items

    def close(self):
        self._at_close()


def fail_close(ask, environ, start_response):
    def at_close():
        raise OnPurpose(ask.mark)

    begin(ask, start_response)
    return Closing((ask.piece(index) for index in range(ask.count)), at_close)


def read_at_close(ask, environ, start_response):
    def at_close():
        try:
            environ["wsgi.input"].read()
        except OSError:
            pass

    begin(ask, start_response)
    return Closing((ask.piece(index) for index in range(ask.count)), at_close)


def twice(ask, environ, start_response):
    start_response("200 First thought", [("X-Mark", "first")])
    try:
        raise OnPurpose(ask.mark)
    except OnPurpose as failure:
        start_response(f"{ask.status} Torture", ask.fields, (OnPurpose, failure, None))
    return [ask.pieces()]


def written(ask, environ, start_response):
    write = begin(ask, start_response)
    for index in range(ask.count - 1):
        nap(ask)
        write(ask.piece(index))
    return [ask.piece(ask.count - 1)]


def lazy(ask, environ, start_response):
    """Headers that are made while the server takes them."""
    def fields():
        yield from ask.fields[:1]
        nap(ask)
        yield from ask.fields[1:]

    start_response(f"{ask.status} Torture", fields())
    return [ask.pieces()]


class SlowText:
    def __init__(self, ask):
        self._ask = ask

    def __repr__(self):
        nap(self._ask)
        return "OnPurpose"


def lazy_repr(ask, environ, start_response):
    start_response(f"{ask.status} Torture", [SlowText(ask)])
    return [ask.pieces()]


def wrapped_file(ask, environ, start_response):
    file = tempfile.TemporaryFile()
    file.write(ask.pieces())
    file.seek(0)
    begin(ask, start_response)
    return environ["wsgi.file_wrapper"](file)


def sent_in_stead(ask, environ, start_response):
    """The server sends a file; what is given here is for nobody."""
    start_response(f"{ask.status} Torture", [*ask.fields, ("X-Accel-Redirect", EVERYBODY)])
    for index in range(ask.count):
        nap(ask)
        yield ask.piece(index)


def stubborn(ask, environ, start_response):
    """Catches what ends it, and goes on."""
    for _ in range(2):
        try:
            nap(ask)
            environ["wsgi.input"].read(2000)
        except BaseException:
            pass
    try:
        begin(ask, start_response)(ask.piece(0))
    except BaseException:
        pass
    return [ask.piece(1)]


def busy(ask, environ, start_response):
    """Never waits, so that nothing but an exception can end it."""
    end = time.monotonic() + ask.pause * 2
    while time.monotonic() < end:
        pass
    return plain(ask, environ, start_response)


def use(environ, start_response, write, rounds=1, pause=0.0):
    """Uses what belongs to a request, whether that is over or not."""
    for _ in range(rounds):
        for act in (
            lambda: environ["wsgi.input"].read(100),
            lambda: environ["wsgi.input"].readline(),
            lambda: write and write(b""),
            lambda: start_response("299 From the past", [("X-Mark", "past")]),
            lambda: environ["wsgi.early_hints"]([("Link", "</past>")]),
            lambda: environ["wsgi.errors"].write(""),
        ):
            try:
                act()
            except Exception:
                pass
        time.sleep(pause)


def endless(ask, environ, start_response):
    """Only an exception ends it."""
    if ask.variant % 2:
        environ["wsgi.input"].read(1000)
    if ask.variant % 3 == 0:
        begin(ask, start_response)(ask.piece(0))
    while True:
        time.sleep(0.05)


def endless_busy(ask, environ, start_response):
    while True:
        sum(range(1000))


def endless_stream(ask, environ, start_response):
    begin(ask, start_response)
    index = 0
    while True:
        yield ask.piece(index)
        index += 1
        time.sleep(0.001)


def event_stream(ask, environ, start_response):
    begin(ask, start_response)
    for index in itertools.count():
        yield ask.piece(index)
        yield b"\n\n"
        time.sleep(ask.pause)


def keep(ask, environ, start_response):
    kept.append((environ, start_response, begin(ask, start_response)))
    del kept[:-20]
    return [ask.pieces()]


def afterwards(ask, environ, start_response):
    for old in kept[ask.variant % 3 :: 3]:
        use(*old)
    return plain(ask, environ, start_response)


def thread_left(ask, environ, start_response):
    """A thread, or what the worker class makes of one, that goes on using the request."""
    over = threading.Event()

    def go_on():
        if ask.variant % 2:
            try:
                environ["wsgi.input"].read()
            except Exception:
                pass
        over.wait(0.5)
        use(environ, lambda *_: None, write if ask.variant % 3 else None, 5, 0.005)

    write = begin(ask, start_response)
    threading.Thread(target=go_on, daemon=True).start()
    nap(ask)
    return Closing((ask.piece(index) for index in range(ask.count)), over.set)


def write_left(ask, environ, start_response):
    """A thread that is in write() when the request ends."""
    def go_on():
        try:
            for index in range(50):
                write(ask.piece(index))
                time.sleep(0.001)
        except Exception:
            pass

    write = begin(ask, start_response)
    threading.Thread(target=go_on, daemon=True).start()
    nap(ask)
    if ask.variant % 4 == 0:
        raise OnPurpose(ask.mark)
    return (ask.piece(index) for index in range(ask.count))


def report(ask, environ, start_response):
    body = state()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


ACTS = {
    act.__name__: act
    for act in (
        plain, lines, slow, hinted, echo, stream, early, early_stream, partial, fail_first, fail_late, fail_close,
        read_at_close, twice, written, lazy, lazy_repr, wrapped_file, sent_in_stead, stubborn, busy, endless, endless_busy,
        endless_stream, event_stream,
        keep, afterwards, thread_left, write_left, report,
    )
}


def app(environ, start_response):
    ask = Ask(environ["PATH_INFO"], environ["QUERY_STRING"])
    acts = wsgi_websocket_acts.ACTS if "gunicorn.socket" in environ else ACTS
    return acts[ask.act](ask, environ, start_response)
