# SPDX-License-Identifier: MIT
"""A Flask application with one of each thing that such applications do."""

import asyncio
import contextvars
import hashlib
import threading
import time

import flask
from werkzeug.exceptions import Conflict

try:
    import gevent
    from gevent.local import local as greenlet_local
except ImportError:
    gevent, greenlet_local = None, threading.local

app = flask.Flask(__name__)
app.secret_key = "only for tests"
app.config["MAX_CONTENT_LENGTH"] = 32 * 1024 * 1024

torn_down = []
closed = []
in_background = []
gates = {}
in_context = contextvars.ContextVar("in_context")
in_greenlet = greenlet_local()
in_thread = threading.local()


def digest(chunks):
    sha, size = hashlib.sha256(), 0
    for chunk in chunks:
        sha.update(chunk)
        size += len(chunk)
    return {"sha256": sha.hexdigest(), "size": size}


def pieces(stream):
    return iter(lambda: stream.read(8192), b"")


@app.teardown_request
def note_teardown(failure):
    if flask.request.endpoint != "teardowns":
        torn_down.append([flask.request.path, repr(failure) if failure else None])


@app.get("/")
def index():
    return "Hello from Flask\n"


@app.post("/json")
def as_json():
    return {"doubled": [2 * number for number in flask.request.get_json()["numbers"]]}


@app.post("/form")
def form():
    return flask.jsonify(flask.request.form.to_dict(flat=False))


@app.post("/upload")
def upload():
    return flask.jsonify(
        {
            name: digest(pieces(file.stream)) | {"filename": file.filename, "type": file.mimetype}
            for name, file in flask.request.files.items()
        }
    )


@app.post("/count")
def count():
    """Of a body that is read as it comes."""
    return digest(pieces(flask.request.stream))


@app.post("/echo")
def echo():
    """Answers every piece of the body before it reads the next."""
    stream = flask.request.stream
    return flask.Response(iter(stream.readline, b""), mimetype="application/octet-stream")


@app.get("/login/<user>")
def login(user):
    flask.session["user"] = user
    return flask.redirect("/whoami")


@app.get("/whoami")
def whoami():
    return flask.session.get("user", "nobody")


@app.get("/stream")
def stream():
    def lines():
        try:
            for number in range(flask.request.args.get("lines", 3, type=int)):
                yield f"{number} for {flask.request.args['who']}\n"
        finally:
            closed.append(flask.request.args["who"])

    return flask.Response(flask.stream_with_context(lines()), mimetype="text/plain")


@app.get("/closed")
def closed_streams():
    return flask.jsonify(closed)


@app.get("/endless")
def endless():
    def blocks():
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.append("endless")

    return flask.Response(blocks())


@app.get("/gate/<name>")
def gate(name):
    """Sends one line, and the second when somebody has asked for /open/<name>."""
    opened = gates.setdefault(name, threading.Event())

    def lines():
        yield "waiting\n"
        yield "opened\n" if opened.wait(10) else "too late\n"

    return flask.Response(lines(), mimetype="text/plain")


@app.get("/open/<name>")
def open_gate(name):
    gates.setdefault(name, threading.Event()).set()
    return "opened\n"


@app.get("/file")
def file():
    return flask.send_file(flask.request.args["path"], conditional=True)


@app.get("/boom")
def boom():
    raise ValueError("on purpose")


@app.get("/boom/stream")
def boom_in_stream():
    def lines():
        yield "first\n"
        raise ValueError("on purpose, after the first line")

    return flask.Response(lines(), mimetype="text/plain")


@app.get("/conflict")
def conflict():
    raise Conflict("two of them")


@app.errorhandler(Conflict)
def on_conflict(failure):
    return {"error": failure.description}, 409, {"X-Handled": "yes"}


@app.get("/teardowns")
def teardowns():
    return flask.jsonify(torn_down)


@app.get("/sleep/<float:seconds>")
def sleep(seconds):
    time.sleep(seconds)
    return "slept\n"


@app.get("/state/<value>")
def state(value):
    """What of earlier requests is still there, and whether what is set here stays while others run."""
    found = {
        "g": flask.g.get("value"),
        "contextvar": in_context.get(None),
        "gevent": getattr(in_greenlet, "value", None),
        "thread": getattr(in_thread, "value", None),
    }
    flask.g.value = in_greenlet.value = in_thread.value = value
    in_context.set(value)
    time.sleep(0.01)
    kept = [flask.g.value, in_context.get(), in_greenlet.value, in_thread.value]
    return {"found": found, "kept": kept == [value] * 4}


@app.get("/background/<value>")
def background(value):
    def later():
        gevent.sleep(0.05)
        in_background.append(value)

    gevent.spawn(later)
    return flask.jsonify(in_background)


@app.get("/background")
def background_results():
    return flask.jsonify(in_background)


@app.get("/async")
async def async_view():
    async def one(number):
        await asyncio.sleep(0.01)
        return number

    return {"gathered": await asyncio.gather(one(1), one(2), one(3))}
