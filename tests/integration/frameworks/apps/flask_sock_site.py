# SPDX-License-Identifier: MIT
"""WebSockets by Flask-Sock, and by simple-websocket as plain WSGI."""

import os
import threading
import time

from flask import Flask, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed, Server

app = Flask(__name__)
sock = Sock(app)
ended = []


@app.get("/")
def index():
    return f"{os.getpid()} {' '.join(ended)}"


@sock.route("/echo")
def echo(ws):
    try:
        while True:
            ws.send(ws.receive())
    except ConnectionClosed as closed:
        ended.append(f"{request.args.get('name')}:{int(closed.reason)}")
        raise


@sock.route("/closes")
def closes(ws):
    ws.send(ws.receive().upper())
    ws.close(4001, "enough")


@sock.route("/returns")
def returns(ws):
    ws.send("all there is")


@sock.route("/fails")
def fails(ws):
    ws.receive()
    raise ValueError("on purpose")


@sock.route("/two_speakers")
def two_speakers(ws):
    """Sends from a second thread while it receives in the first."""
    over = threading.Event()

    def tick():
        while not over.is_set():
            ws.send("tick")
            time.sleep(0.01)

    ticker = threading.Thread(target=tick)
    ticker.start()
    assert ws.receive() == "stop"
    over.set()
    ticker.join()
    ws.send("stopped")


def pinging(environ, start_response):
    """Waits with a selector, which asks for the number of the socket."""
    ws = Server.accept(environ, ping_interval=0.1, subprotocols=["tea", "coffee"])
    ws.send(str(ws.subprotocol))
    try:
        while True:
            ws.send(ws.receive())
    except ConnectionClosed:
        raise StopIteration from None


flask_app = app.wsgi_app


def route(environ, start_response):
    if environ["PATH_INFO"] == "/pinging":
        return pinging(environ, start_response)
    return flask_app(environ, start_response)


app.wsgi_app = route
