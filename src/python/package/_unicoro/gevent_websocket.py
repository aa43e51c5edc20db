# SPDX-License-Identifier: MIT
"""environ["wsgi.websocket"], as GeventWebSocketWorker of gevent-websocket gives it."""

import functools


@functools.lru_cache(maxsize=None)
def _handler():
    """None where the application's environment does not have the package."""
    import errno
    from types import SimpleNamespace

    try:
        from geventwebsocket.handler import Client, WebSocketHandler
        from geventwebsocket.logging import create_logger
    except ImportError:
        return None

    clients = {}
    log = create_logger("geventwebsocket.handler")

    class Wire:
        """What a WebSocket reads and writes. Its handshake is made when it is first used, so that who gives
        another answer may."""

        def __init__(self, handler, sock):
            self.handler, self.sock = handler, sock
            self.head = None  # of the response, until it is sent
            self.over = False
            self.arrived = b""

        def open(self):
            # A WebSocket that goes unused closes itself at its end.
            if self.over:
                raise OSError(errno.EBADF, "the request is over: its connection is the server's")
            if self.head is not None:
                head, self.head = self.head, None
                self.sock.sendall(head)
                clients[self.handler.client_address] = Client(
                    self.handler.client_address, self.handler.websocket
                )

        def end(self):
            self.over = True
            self.handler = self.sock = None

        def read(self, size):
            self.open()
            pieces = [self.arrived]
            missing = size - len(self.arrived)
            while missing > 0:
                pieces.append(self.sock.recv(max(missing, 4096)))
                if not pieces[-1]:
                    break
                missing -= len(pieces[-1])
            data = b"".join(pieces)
            self.arrived = data[size:]
            return data[:size]

        def sendall(self, data):
            self.open()
            self.sock.sendall(data)

    class Handler(WebSocketHandler):
        """Not one of gevent's server: only what a WebSocket and its application ask of it."""

        def __init__(self, environ, sock, application):
            self.environ, self.application = environ, application
            self.server = SimpleNamespace(clients=clients, application=application, logger=log)
            self.client_address = environ["REMOTE_ADDR"], int(environ.get("REMOTE_PORT") or 0)
            self.request_version = environ["SERVER_PROTOCOL"]
            self.wire = self.rfile = self.socket = Wire(self, sock)

        def start_response(self, status, headers, exc_info=None):
            lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "", ""]
            self.wire.head = "\r\n".join(lines).encode("latin-1")

        @property
        def active_client(self):
            self.wire.open()
            return clients[self.client_address]

        def finish(self):
            """The application is done; False if it did not use the WebSocket."""
            websocket, self.websocket = self.websocket, None
            self.environ.pop("wsgi.websocket", None)
            used = self.wire.head is None
            if used:
                clients.pop(self.client_address, None)
                if not websocket.closed:
                    websocket.close()
            self.wire.end()
            # No ring is left to hold the socket until a collection.
            self.wire = self.rfile = self.socket = None
            return used

    return Handler


def add(environ, sock, application):
    """A handshake that is wrong leaves the application without a WebSocket."""
    made = _handler()
    if made is None:
        return
    handler = made(environ, sock, application)
    try:
        handler.upgrade_websocket()
    except ValueError:  # a key that is no Base64
        return
    if "wsgi.websocket" in environ:
        sock._gevent_websocket = handler
