# SPDX-License-Identifier: MIT
"""Socket.IO in a Flask application."""

import os
import sys

from flask import Flask, request
from flask_socketio import ConnectionRefusedError, SocketIO, emit, join_room

# As if it were not installed.
if "WITHOUT" in os.environ:
    sys.modules[os.environ["WITHOUT"]] = None

app = Flask(__name__)
socketio = SocketIO(app, async_mode=os.environ["SOCKETIO_MODE"], ping_interval=1, ping_timeout=1)


@app.get("/")
def index():
    return "flask"


@socketio.on("connect")
def connect(auth):
    assert request.environ["REQUEST_METHOD"] == "GET"
    if auth == {"token": "wrong"}:
        raise ConnectionRefusedError("who are you?")


@socketio.on("add")
def add(first, second):
    return first + second


@socketio.on("join")
def join(room):
    join_room(room)
    return "in"


@socketio.on("tell")
def tell(room, data):
    emit("told", data, room=room)
