# SPDX-License-Identifier: MIT
"""WSGI applications that wait, for the tests of -k async. The first segment of the path names one."""

import asyncio
import contextvars
import sys
import threading
import time
import weakref

import gevent
import greenlet
from gevent.local import local as greenlet_local

variable = contextvars.ContextVar("variable", default="clean")
thread_local = threading.local()
spawned = []
cleaned = []
kept = []
kept_attributes = []
known = []
dammed = []


def answer(start_response, text, status="200 OK"):
    start_response(status, [("Content-Type", "text/plain")])
    return [text.encode("latin-1")]


def sleep(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"] or "0.2"))
    return answer(start_response, "slept")


def stuck(environ, start_response):
    while True:
        time.sleep(0.1)


def stubborn(environ, start_response):
    """Catches what ends it, and goes on."""
    try:
        time.sleep(30)
    except BaseException as error:
        cleaned.append(type(error).__name__)
    try:
        start_response("200 OK", [("Content-Type", "text/plain")])(b"too late")
    except Exception as error:
        cleaned.append(type(error).__name__)
    return [b"too late"]


def compute(environ, start_response):
    """Holds the loop."""
    end = time.monotonic() + 1
    while time.monotonic() < end:
        pass
    return answer(start_response, "computed")


def seen(environ, start_response):
    return answer(start_response, " ".join(cleaned))


def locals_clean(environ, start_response):
    own = greenlet_local()
    state = [variable.get(), getattr(thread_local, "value", "clean"), getattr(own, "value", "clean")]
    variable.set("dirty")
    thread_local.value = own.value = "dirty"
    if environ["QUERY_STRING"] == "wait":
        time.sleep(0.01)
    return answer(start_response, " ".join(state))


def context_clean(environ, start_response):
    """Nothing but a context variable, which alone makes no greenlet an old one."""
    state = variable.get()
    variable.set("dirty")
    return answer(start_response, state)


def traces_clean(environ, start_response):
    """Leaves each kind of trace that a greenlet can have, and looks for those of others."""
    own = gevent.getcurrent()
    for attributes in kept_attributes:
        attributes["mark"] = "marked from outside"
    state = [
        "kept" if any(own is other for other in kept) else "new",
        "known" if any(own is other() for other in known) else "new",
        getattr(own, "mark", "new"),
        "new" if sys.exc_info()[0] is None else "excepting",
        "new" if own.parent is gevent.get_hub() else "of another parent",
        "new" if asyncio._get_running_loop() is None else "in a loop",
    ]
    what = environ["QUERY_STRING"]
    if what == "keep":
        kept.append(own)
    elif what == "know":
        known.append(weakref.ref(own))
    elif what == "mark":
        own.mark = "marked"
    elif what == "keep_attributes":
        kept_attributes.append(own.__dict__)
    elif what == "parent":
        own.parent = greenlet.greenlet(lambda _: None, gevent.get_hub())
    elif what == "loop":
        loop = asyncio.new_event_loop()
        asyncio._set_running_loop(loop)
        loop.close()
    elif what == "except":
        raise ValueError("on purpose")
    return answer(start_response, " ".join(state))


def timeout_left(environ, start_response):
    """Its timeout comes after its end, and is for nobody then."""
    gevent.Timeout.start_new(0.05)
    return answer(start_response, "left")


def spawn(environ, start_response):
    def later():
        time.sleep(0.1)
        spawned.append("lived on")

    gevent.spawn(later)
    return answer(start_response, "spawned")


def what_spawned(environ, start_response):
    return answer(start_response, " ".join(spawned))


def echo(environ, start_response):
    """Answers each piece of the body as it comes."""
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    source = environ["wsgi.input"]
    return iter(lambda: source.read1(65536), b"")


def lines(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return (line.upper() for line in environ["wsgi.input"])


def written(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    for number in range(3):
        write(b"piece %d\n" % number)
        time.sleep(0.01)
    return [b"end\n"]


def flood(environ, start_response):
    """Never waits of its own accord."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    while not dammed:
        yield b"x" * 1000


def dam(environ, start_response):
    dammed.append(True)
    return answer(start_response, "dammed")


def timeout_inside(environ, start_response):
    """gevent's Timeout leaves a read of the body; what came after it is not lost."""
    source = environ["wsgi.input"]
    log = []
    while not log or log[-1]:
        try:
            with gevent.Timeout(0.05):
                log.append(source.read1(100).decode())
        except gevent.Timeout:
            if "late" not in log:
                log.append("late")
    return answer(start_response, ",".join(log))


def read_in_parts(environ, start_response):
    """Each letter of the query reads in its own way; the last ones to the end."""
    source, parts = environ["wsgi.input"], []
    into = bytearray(70_000)
    for way in environ["QUERY_STRING"]:
        if way == "l":
            parts.append(source.readline())
        elif way == "s":
            parts.append(source.read(1000))
        elif way == "o":
            parts.append(source.read1())
        elif way == "i":
            parts.append(bytes(into[: source.readinto(into)]))
        elif way == "a":
            parts.append(source.read())
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [b"".join(parts)]


def late_for_all(environ, start_response):
    """A read of everything is given up when it has a part of it; others go on from there."""
    source = environ["wsgi.input"]
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    try:
        with gevent.Timeout(0.05):
            source.read()
    except gevent.Timeout:
        yield b"late|"
    yield source.readline() + b"|" + source.read1(5) + b"|"
    yield source.read(7) + b"|" + source.read()


def multithread(environ, start_response):
    return answer(start_response, repr(environ["wsgi.multithread"]))


def application(environ, start_response):
    name = environ["PATH_INFO"].split("/")[1]
    return globals()[name](environ, start_response)
