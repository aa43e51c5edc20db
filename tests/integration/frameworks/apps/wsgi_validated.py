# SPDX-License-Identifier: MIT
"""wsgiref.validate around plain WSGI and around Flask. A complaint is an AssertionError: a 500 and a
traceback in the log."""

import json
import warnings
from wsgiref.validate import validator

warnings.simplefilter("error")


def read_all(body):
    return body.read(1 << 24)


def read_pieces(body):
    return b"".join(iter(lambda: body.read(1000), b""))


def read_lines(body):
    return b"".join(iter(lambda: body.readline(), b""))


def read_some_lines(body):
    found = []
    while lines := body.readlines(100):
        found += lines
    return b"".join(found)


def iterate(body):
    return b"".join(body)


def nothing(body):
    return b""


READERS = {f"/{f.__name__}": f for f in (read_all, read_pieces, read_lines, read_some_lines, iterate, nothing)}
HEADERS = [("Content-Type", "application/octet-stream"), ("X-Twice", "a"), ("X-Twice", "b")]


class Closing:
    def __init__(self, parts):
        self.parts = iter(parts)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.parts)

    def close(self):
        pass


def plain(environ, start_response):
    path = environ["PATH_INFO"]
    if path in READERS:
        body = READERS[path](environ["wsgi.input"])
        start_response("200 OK", HEADERS)
        return [body]
    if path == "/write":
        write = start_response("200 OK", HEADERS)
        write(b"written ")
        write(b"")
        return [b"returned"]
    if path == "/generator":
        start_response("200 OK", HEADERS)
        return (b"part %d;" % number for number in range(3))
    if path == "/late":
        return Closing(late(start_response))
    if path == "/replace":
        start_response("200 OK", HEADERS)
        try:
            raise ValueError("after start_response")
        except ValueError:
            import sys

            start_response("503 Replaced", HEADERS, sys.exc_info())
        return [b"replaced"]
    if path == "/file":
        start_response("200 OK", HEADERS)
        return environ["wsgi.file_wrapper"](open(__file__, "rb"), 1024)
    if path == "/environ":
        environ["wsgi.errors"].write("")
        environ["wsgi.errors"].flush()
        environ["wsgi.errors"].writelines(["a line of wsgi.errors\n"])
        start_response("200 OK", [("Content-Type", "application/json")])
        shown = {key: value for key, value in environ.items() if isinstance(value, (str, bool, tuple))}
        return [json.dumps(shown).encode()]
    if path == "/empty":
        start_response("204 No Content", [])
        return []
    start_response("404 Not Found", HEADERS)
    return [b"nothing here"]


def late(start_response):
    start_response("200 OK", HEADERS)
    yield b"late"


app = validator(plain)


def flask_app(environ, start_response):
    from flask_site import app as flask

    return validator(flask)(environ, start_response)
