# SPDX-License-Identifier: MIT
"""WSGI applications for the tests of -k eventlet. The first segment of the path names one."""

import contextvars
import socket
import threading
import time

import eventlet
import eventlet.websocket

spawned = []
variable = contextvars.ContextVar("variable", default="clean")
thread_local = threading.local()


def answer(start_response, text):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode("latin-1")]


def sleep(environ, start_response):
    time.sleep(0.3)
    return answer(start_response, "slept")


def stuck(environ, start_response):
    while True:
        time.sleep(0.1)


def sockets(environ, start_response):
    """A server and a client in greenlets, over patched sockets."""
    one, other = socket.socketpair()

    def serve():
        while piece := other.recv(100):
            time.sleep(0.01)
            other.sendall(piece.upper())

    threading.Thread(target=serve, daemon=True).start()
    got = b""
    for word in (b"one ", b"two ", b"three"):
        one.sendall(word)
        got += one.recv(100)
    one.close()
    return answer(start_response, got.decode())


def spawn(environ, start_response):
    eventlet.spawn_after(0.1, spawned.append, "lived on")
    return answer(start_response, "spawned")


def what_spawned(environ, start_response):
    return answer(start_response, " ".join(spawned))


def echo(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return iter(lambda: environ["wsgi.input"].read1(65536), b"")


def locals_clean(environ, start_response):
    state = [variable.get(), getattr(thread_local, "value", "clean")]
    variable.set("dirty")
    thread_local.value = "dirty"
    if environ["QUERY_STRING"] == "wait":
        time.sleep(0.01)
    return answer(start_response, " ".join(state))


@eventlet.websocket.WebSocketWSGI
def talk(websocket):
    while (message := websocket.wait()) is not None:
        websocket.send(message)


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].split("/")[1]](environ, start_response)
