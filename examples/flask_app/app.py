# SPDX-License-Identifier: MIT
"""A small Flask application: unicoro -k async -w 4 -b 0.0.0.0:8000 --chdir examples/flask_app app:app"""

import os
import time

from flask import Flask, Response, jsonify, request, stream_with_context

app = Flask(__name__)


@app.get("/")
def index():
    return jsonify(message="Hello from Flask on Unicoro", worker=os.getpid())


@app.get("/hello/<name>")
def hello(name):
    return f"Hello, {name}!\n", {"Content-Type": "text/plain; charset=utf-8"}


@app.post("/echo")
def echo():
    """Gives the body back as it came."""
    return Response(request.get_data(), content_type=request.content_type or "application/octet-stream")


@app.get("/stream")
def stream():
    """Ten lines, each sent as soon as it is made."""

    @stream_with_context
    def lines():
        for number in range(10):
            yield f"line {number} for {request.remote_addr}\n"
            time.sleep(0.1)

    return Response(lines(), content_type="text/plain; charset=utf-8")


@app.get("/sleep/<float:seconds>")
@app.get("/sleep/<int:seconds>")
def sleep(seconds):
    """Blocks for a while, at most ten seconds, as a slow database would."""
    time.sleep(min(max(float(seconds), 0.0), 10.0))
    return jsonify(slept=seconds)
