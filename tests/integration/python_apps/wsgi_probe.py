# SPDX-License-Identifier: MIT
"""A WSGI application for the tests: the first segment of the path names what it does."""

import atexit
import json
import os
import sys
import threading
import time
from urllib.parse import parse_qs
from wsgiref.validate import validator

TEXT = [("Content-Type", "text/plain; charset=utf-8")]
ticks = 0
closed = []


class Gate:
    """The application's side of harness/gate.py: holds the whole worker."""

    def __init__(self, path):
        self.path = path

    def block(self):
        with open(self.path + ".in", "wb", buffering=0) as announce:
            announce.write(b"!")
        with open(self.path + ".out", "r+b", buffering=0) as release:
            release.read(1)


class Closing:
    def __init__(self, name, items):
        self.name = name
        self.items = iter(items)

    def __iter__(self):
        return self.items

    def close(self):
        closed.append(self.name)


def option(environ, name, default=None):
    return parse_qs(environ["QUERY_STRING"]).get(name, [default])[0]


def hello(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"hello"]


def pid(environ, start_response):
    start_response("200 OK", TEXT)
    return [str(os.getpid()).encode()]


def environ(environ, start_response):
    shown = {key: value if isinstance(value, str) else repr(value) for key, value in environ.items()}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(shown).encode()]


def python(environ, start_response):
    shown = {
        "argv": sys.argv,
        "executable": sys.executable,
        "prefix": sys.prefix,
        "path": sys.path,
        "version": list(sys.version_info[:2]),
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(shown).encode()]


def echo(environ, start_response):
    start_response("200 OK", [("Content-Type", environ.get("CONTENT_TYPE", "text/plain"))])
    return [environ["wsgi.input"].read()]


def lines(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"%d:%s" % (number, line) for number, line in enumerate(environ["wsgi.input"])]


def stream(environ, start_response):
    """Two pieces with a gate between them."""
    start_response("200 OK", TEXT)

    def pieces():
        yield b"first"
        Gate(option(environ, "gate")).block()
        yield b"second"

    return Closing("stream", pieces())


def endless(environ, start_response):
    start_response("200 OK", TEXT)
    return Closing("endless", iter(lambda: b"x" * 65536, None))


def large(environ, start_response):
    size = int(option(environ, "size"))
    how = option(environ, "how")
    if how == "file":
        start_response("200 OK", TEXT)
        return environ["wsgi.file_wrapper"](open(option(environ, "path"), "rb"))
    start_response("200 OK", [*TEXT, ("Content-Length", str(size))])
    body = b"y" * size
    return [body] if how == "list" else Closing("large", [body])


def was_closed(environ, start_response):
    start_response("200 OK", TEXT)
    return [" ".join(closed).encode()]


def fail(environ, start_response):
    secret = "not for the client"
    raise RuntimeError(secret)


def fail_later(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"begun"
    raise RuntimeError("failed in the middle")


def bad_header(environ, start_response):
    start_response("200 OK", [("X-Bad", "a\r\nInjected: yes")])
    return []


def status(environ, start_response):
    code = option(environ, "code")
    start_response(f"{code} Something", [] if code in ("204", "304") else TEXT)
    return [] if code in ("204", "304") else [b"body"]


def file(environ, start_response):
    start_response("200 OK", TEXT)
    opened = open(option(environ, "path"), "rb")
    opened.seek(int(option(environ, "offset", "0")))
    return environ["wsgi.file_wrapper"](opened)


def errors(environ, start_response):
    print("to wsgi.errors", file=environ["wsgi.errors"])
    print("to stderr", file=sys.stderr, flush=True)
    print("to stdout", flush=True)
    start_response("200 OK", TEXT)
    return [b"written"]


def fork(environ, start_response):
    child = os.fork()
    if child == 0:
        return hello(environ, start_response)  # comes back to the server, which must not answer
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    start_response("200 OK", TEXT)
    return [str(code).encode()]


def hang_here(environ, start_response):
    Gate(option(environ, "gate")).block()
    start_response("200 OK", TEXT)
    return []


def tick(environ, start_response):
    start_response("200 OK", TEXT)
    return [str(ticks).encode()]


def count_ticks():
    global ticks
    while True:
        time.sleep(0.001)
        ticks += 1


def application(environ, start_response):
    name = environ["PATH_INFO"].split("/")[1]
    return globals()[name](environ, start_response)


valid = validator(application)


def threaded():
    threading.Thread(target=count_ticks, daemon=True).start()
    return application


def at_exit(path):
    def leave():
        with open(path, "w") as marker:
            marker.write("ended")

    atexit.register(leave)
    return application


def failing():
    raise RuntimeError("the factory failed")


nothing = None
