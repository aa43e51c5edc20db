# SPDX-License-Identifier: MIT
"""Socket.IO on asyncio: WebSockets, and long polling."""

import socketio

server = socketio.AsyncServer(async_mode="asgi", ping_interval=1, ping_timeout=1)
app = socketio.ASGIApp(server)


@server.event
async def connect(sid, environ, auth):
    if auth == {"token": "wrong"}:
        raise ConnectionRefusedError("who are you?")


@server.event
async def add(sid, first, second):
    return first + second


@server.event
async def join(sid, room):
    await server.enter_room(sid, room)
    return "in"


@server.event
async def tell(sid, room, data):
    await server.emit("told", data, room=room)
