# SPDX-License-Identifier: MIT
"""WSGI applications, one per rule. The first segment of the path chooses the function."""

import gzip
import io
import json
import os
import sys
import tempfile
from wsgiref.validate import validator

closed = []
seen = {}
PLAIN = [("Content-Type", "text/plain")]


class Closing:
    """An iterable that counts its close()."""

    def __init__(self, items, fail_close=False):
        self.items = iter(items)
        self.fail_close = fail_close

    def __iter__(self):
        return self

    def __next__(self):
        item = next(self.items)
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self):
        closed.append(seen.get("name"))
        if self.fail_close:
            raise RuntimeError("close failed")


class Sized(Closing):
    def __len__(self):
        return 1


def application(environ, start_response):
    name = environ["PATH_INFO"].split("/")[1]
    seen["name"] = name
    return globals()["app_" + name](environ, start_response)


def app_hello(environ, start_response):
    start_response("200 OK", PLAIN)
    return [b"hello"]


def app_tuple(environ, start_response):
    start_response("201 Made", PLAIN)
    return (b"one", b"", b"two")


def app_nothing(environ, start_response):
    start_response("204 No Content", [])
    return []


def app_large(environ, start_response):
    start_response("200 OK", PLAIN)
    return [b"x" * 100000]


def app_generator(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b""
    yield b"one"
    yield b""
    yield b"two"


def app_late(environ, start_response):
    yield b""
    start_response("202 Accepted", PLAIN)
    yield b"late"


def app_closing(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing([b"a", b"b"])


def app_single(environ, start_response):
    start_response("200 OK", PLAIN)
    return Sized([b"single"])


def app_announced(environ, start_response):
    start_response("200 OK", PLAIN + [("Content-Length", "100000")])
    return Closing([b"y" * 100000])


def app_close_fails(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing([b"a"], fail_close=True)


def app_raises(environ, start_response):
    raise LookupError("lost: \u20ac")


def app_raises_later(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing([b"begun", ValueError("in the middle")])


def app_raises_at_once(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing([b"", ValueError("before any byte")])


def app_exits(environ, start_response):
    sys.exit(7)


def app_interrupted(environ, start_response):
    raise KeyboardInterrupt


def app_never(environ, start_response):
    return [b"no head"]


def app_never_iter(environ, start_response):
    return iter([b"no head"])


def app_none(environ, start_response):
    start_response("200 OK", PLAIN)


def app_str(environ, start_response):
    start_response("200 OK", PLAIN)
    return ["text"]


def app_str_iter(environ, start_response):
    start_response("200 OK", PLAIN)
    return Closing(["text"])


def app_twice(environ, start_response):
    start_response("200 OK", PLAIN)
    start_response("200 OK", PLAIN)
    return [b""]


def app_replaced(environ, start_response):
    start_response("200 OK", PLAIN + [("X-Old", "1")])
    try:
        raise KeyError("key")
    except KeyError:
        start_response("503 Sorry", [("X-New", "2")], sys.exc_info())
    return [b"sorry"]


def app_too_late(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b"sent"
    try:
        raise KeyError("the reason")
    except KeyError:
        start_response("500 Oh", PLAIN, sys.exc_info())
    yield b"never"


def app_keywords(environ, start_response):
    start_response(status="200 OK", response_headers=PLAIN, exc_info=None)
    return [b"keywords"]


def app_start(environ, start_response):
    """start_response with the arguments that `seen` holds."""
    try:
        start_response(*seen["arguments"])
    except Exception as error:
        seen["error"] = f"{type(error).__name__}: {error}"
        start_response("200 OK", [])
    return [b"done"]


def app_write(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"one ")
    write(b"two ")
    return [b"three"]


def app_write_later(environ, start_response):
    write = start_response("200 OK", PLAIN)
    yield b"a"
    write(b"b")
    yield b"c"


def app_write_only(environ, start_response):
    start_response("200 OK", PLAIN)(b"only")
    return []


def app_write_replaced(environ, start_response):
    start_response("200 OK", PLAIN)(b"sent")
    try:
        raise KeyError("too late")
    except KeyError:
        start_response("500 Oh", PLAIN, sys.exc_info())
    return [b"error"]


def app_kept(environ, start_response):
    seen["start"] = start_response
    seen["write"] = start_response("200 OK", PLAIN)
    return [b"kept"]


def use_kept():
    """What calling a callable of a finished request raises."""
    errors = []
    for call, arguments in ((seen.pop("start"), ("200 OK", [])), (seen.pop("write"), (b"x",))):
        try:
            call(*arguments)
        except RuntimeError as error:
            errors.append(str(error))
    return errors


def _temporary(environ, content=b"0123456789" * 10):
    file = tempfile.NamedTemporaryFile(delete=False)
    file.write(content)
    file.close()
    opened = open(file.name, "rb")
    os.unlink(file.name)
    seen["file"] = opened
    return opened


def app_file(environ, start_response):
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](_temporary(environ))


def app_file_part(environ, start_response):
    file = _temporary(environ)
    file.read(5)  # the buffer has read on; the position that counts is 5
    start_response("200 OK", PLAIN + [("Content-Length", "10")])
    return environ["wsgi.file_wrapper"](file, 4)


def app_file_empty(environ, start_response):
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](_temporary(environ, b""))


def app_file_gzip(environ, start_response):
    start_response("200 OK", PLAIN)
    file = gzip.open(_temporary(environ, gzip.compress(b"unpacked")))
    return environ["wsgi.file_wrapper"](file)


def app_file_memory(environ, start_response):
    start_response("200 OK", PLAIN)
    seen["file"] = io.BytesIO(b"in memory")
    return environ["wsgi.file_wrapper"](seen["file"], 4)


def app_file_wrapped(environ, start_response):
    start_response("200 OK", PLAIN)
    wrapper = environ["wsgi.file_wrapper"](_temporary(environ), 30)
    return (each.upper() for each in wrapper)


def app_environ(environ, start_response):
    shown = {key: value for key, value in environ.items() if isinstance(value, str)}
    shown["types"] = sorted({type(value).__name__ for value in environ.values()})
    start_response("200 OK", PLAIN)
    return [json.dumps(shown, sort_keys=True).encode()]


def app_echo(environ, start_response):
    start_response("200 OK", PLAIN)
    return [environ["wsgi.input"].read()]


def app_input(environ, start_response):
    seen["input"] = environ["wsgi.input"]
    start_response("200 OK", [])
    return []


def app_lines(environ, start_response):
    source = environ["wsgi.input"]
    seen["lines"] = [
        source.readline(),
        source.readline(3),
        source.readline(-1),
        source.read(2),
        next(iter(source)),
        source.readlines(1),
        list(source),
        source.read(),
        source.readline(),
        source.readlines(),
    ]
    start_response("200 OK", [])
    return []


def app_errors(environ, start_response):
    errors = environ["wsgi.errors"]
    print("from the application: \u20ac \udcff", file=errors)
    errors.writelines(["a ", "b\n"])
    errors.write("unfinished")
    errors.flush()
    start_response("200 OK", [])
    return []


def _checked(environ, start_response):
    environ["wsgi.input"].read(3)
    environ["wsgi.input"].readline()
    list(environ["wsgi.input"])
    environ["wsgi.errors"].write("checked\n")
    environ["wsgi.errors"].flush()
    start_response("200 OK", PLAIN)
    return Closing([b"valid", b" ", b"server"])


app_valid = validator(_checked)


def app_valid_list(environ, start_response):
    def inner(environ, start_response):
        start_response("200 OK", PLAIN + [("Content-Length", "4")])
        return [b"list"]

    return validator(inner)(environ, start_response)


def app_order(environ, start_response):
    seen.setdefault("order", []).append(environ["QUERY_STRING"])
    start_response("200 OK", PLAIN)
    yield b"first"
    seen["order"].append(environ["QUERY_STRING"] + " ends")
    yield b"second"


def app_fork(environ, start_response):
    pid = os.fork()
    if pid == 0:
        sys.exit(5)
    status = os.waitpid(pid, 0)[1]
    start_response("200 OK", PLAIN)
    return [str(os.waitstatus_to_exitcode(status)).encode()]


# --- for app_import_test

not_callable = 3


class box:
    inner = staticmethod(app_hello)


def create_app(name="default", *, flag=None, items=()):
    seen["created"] = (name, flag, items)
    return app_hello


def broken_factory():
    raise TypeError("inside the factory")


def empty_factory():
    return None
