# SPDX-License-Identifier: MIT
"""Socket.IO on gevent, eventlet or threads."""

import os
import sys

import socketio

# As if it were not installed.
if "WITHOUT" in os.environ:
    sys.modules[os.environ["WITHOUT"]] = None

server = socketio.Server(async_mode=os.environ["SOCKETIO_MODE"], ping_interval=1, ping_timeout=1)
app = socketio.WSGIApp(server)


@server.event
def connect(sid, environ, auth):
    if auth == {"token": "wrong"}:
        raise ConnectionRefusedError("who are you?")


@server.event
def add(sid, first, second):
    return first + second


@server.event
def join(sid, room):
    server.enter_room(sid, room)
    return "in"


@server.event
def tell(sid, room, data):
    server.emit("told", data, room=room)
