# SPDX-License-Identifier: MIT
"""Applications of gevent-websocket, which want `wsgi.websocket`."""

import os

import gevent
from geventwebsocket import Resource, WebSocketApplication, WebSocketError


def answer(start_response, text, status="200 OK"):
    start_response(status, [("Content-Length", str(len(text)))])
    return [text.encode()]


def echo(environ, start_response):
    ws = environ["wsgi.websocket"]
    while not ws.closed:
        message = ws.receive()
        if message is not None:
            ws.send(message)
    return []


def silent(environ, start_response):
    """The server makes the handshake and the end."""
    environ["wsgi.websocket"].send("hello")
    return answer(start_response, "for nobody")


def refuses(environ, start_response):
    return answer(start_response, str("wsgi.websocket" in environ), "403 Forbidden")


def fails(environ, start_response):
    environ["wsgi.websocket"].receive()
    raise ValueError("on purpose")


kept = []


def keeps(environ, start_response):
    kept.append(environ["wsgi.websocket"])
    return answer(start_response, "kept")


def uses_kept(environ, start_response):
    try:
        kept.pop().send("mixed in")
    except WebSocketError as error:
        return answer(start_response, type(error).__name__)


class Chat(WebSocketApplication):
    def on_open(self):
        gevent.sleep(0)

    def on_message(self, message):
        if message is not None:
            for client in list(self.ws.handler.server.clients.values()):
                client.ws.send(f"{self.ws.handler.active_client.address[0]} {message}")

    def on_close(self, reason):
        pass

    @classmethod
    def protocol_name(cls):
        return "chat"


resource = Resource([("/chat", Chat), ("/.*", lambda environ, start_response: answer(start_response, str(os.getpid())))])


class Site:
    def __call__(self, environ, start_response):
        view = globals().get(environ["PATH_INFO"].strip("/"))
        if callable(view) and not isinstance(view, type):
            return view(environ, start_response)
        return resource(environ, start_response)

    app_protocol = staticmethod(resource.app_protocol)


app = Site()
