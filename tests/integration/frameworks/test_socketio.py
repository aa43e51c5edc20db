# SPDX-License-Identifier: MIT
"""python-socketio and Flask-SocketIO with their own client: over WebSockets and long polling, on asyncio,
gevent, eventlet and threads."""

import queue

import pytest
import socketio

from conftest import base_url
from harness.waiting import LONG

# Where Python's threads and sockets come from, and what is missing: python-socketio on gevent prefers
# gevent-websocket to simple-websocket.
MODES = {
    "gevent": ("async", {"SOCKETIO_MODE": "gevent"}),
    "gevent-simple": ("async", {"SOCKETIO_MODE": "gevent", "WITHOUT": "geventwebsocket"}),
    "threading": ("gthread", {"SOCKETIO_MODE": "threading"}),
    "threading-gevent": ("async", {"SOCKETIO_MODE": "threading"}),
    "eventlet": ("eventlet", {"SOCKETIO_MODE": "eventlet"}),
}

WAYS = {
    "asgi-websocket": (("async", {}), "socketio_asgi:app", ["websocket"]),
    "asgi-upgrade": (("async", {}), "socketio_asgi:app", ["polling", "websocket"]),
    "asgi-polling": (("sync", {}), "socketio_asgi:app", ["polling"]),
    "gevent-polling": (MODES["gevent"], "socketio_wsgi:app", ["polling"]),
    "threading-polling": (MODES["threading"], "socketio_wsgi:app", ["polling"]),
    **{f"{mode}-websocket": (MODES[mode], "socketio_wsgi:app", ["websocket"]) for mode in MODES},
    **{f"{mode}-flask-upgrade": (MODES[mode], "flask_socketio_site:app", ["polling", "websocket"])
       for mode in MODES},
}


@pytest.fixture(scope="module", params=WAYS)
def way(request, serve):
    (worker, env), app, transports = WAYS[request.param]
    # A poll of a client that has left waits for as long.
    server = serve(worker, app, "--graceful-timeout", "1", env=env)
    return server, transports


@pytest.fixture
def client_of(way):
    made = []

    def make(**more):
        client = socketio.Client(reconnection=False)
        client.told = queue.Queue()
        client.on("told", client.told.put)
        client.connect(base_url(way[0]), transports=way[1], wait_timeout=LONG, **more)
        made.append(client)
        return client

    yield make
    for client in made:
        client.disconnect()


def test_calls_and_rooms(client_of):
    one, two = client_of(), client_of()
    assert one.call("add", (20, 22), timeout=LONG) == 42
    assert [each.call("join", "tea", timeout=LONG) for each in (one, two)] == ["in", "in"]
    for number in range(5):
        one.emit("tell", ("tea", {"number": number, "text": "Größe"}))
    for client in (one, two):
        seen = [client.told.get(timeout=LONG)["number"] for _ in range(5)]
        assert seen == list(range(5))


def test_binary(client_of):
    client = client_of()
    client.call("join", "bytes", timeout=LONG)
    client.emit("tell", ("bytes", b"\x00\xff" * 50_000))
    assert client.told.get(timeout=LONG) == b"\x00\xff" * 50_000


def test_refusal(client_of):
    with pytest.raises(socketio.exceptions.ConnectionError):
        client_of(auth={"token": "wrong"})


def test_transport(client_of, way):
    client = client_of()
    expected = way[1][-1]
    client.call("add", (1, 2), timeout=LONG)
    assert client.transport() == expected
