# SPDX-License-Identifier: MIT
"""What a WSGI application does with the connection of a client that asks for a WebSocket: handshake and
frames are its own, on environ["gunicorn.socket"]. Every message it sends begins with its mark."""

import base64
import contextlib
import gc
import hashlib
import threading
import time

from marks import OnPurpose

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10

# No timeout of the server's counts for the connection.
PATIENCE = 1.0

# Sockets of requests before, for `used_late`.
kept = []


class Gone(Exception):
    """The client has closed, or nobody hears from it."""


@contextlib.contextmanager
def until_gone():
    waited = False
    try:
        yield
    except Gone as gone:
        waited = isinstance(gone.__context__, TimeoutError)
    if waited:
        # eventlet's timeouts keep in a ring what has waited: the socket would stay until some collection.
        gc.collect()


class Talk:
    def __init__(self, ask, environ):
        self.ask = ask
        self.socket = environ["gunicorn.socket"]
        key = environ["HTTP_SEC_WEBSOCKET_KEY"] + GUID
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        fields = "".join(f"{name}: {value}\r\n" for name, value in ask.fields)
        self.unread = b""
        self.socket.settimeout(PATIENCE)
        self.send_all(
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{fields}"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )

    def send_all(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            raise Gone from None

    def say(self, index):
        self.send(TEXT, self.ask.piece(index))

    def send(self, opcode, data):
        size = len(data)
        if size < 126:
            head = bytes([0x80 | opcode, size])
        elif size < 1 << 16:
            head = bytes([0x80 | opcode, 126]) + size.to_bytes(2, "big")
        else:
            head = bytes([0x80 | opcode, 127]) + size.to_bytes(8, "big")
        self.send_all(head + data)

    def close(self, code=1000):
        self.send(CLOSE, code.to_bytes(2, "big"))

    def _exactly(self, size):
        while len(self.unread) < size:
            try:
                come = self.socket.recv(65536)
            except OSError:
                raise Gone from None
            if not come:
                raise Gone
            self.unread += come
        taken, self.unread = self.unread[:size], self.unread[size:]
        return taken

    def _frame(self):
        first, second = self._exactly(2)
        size = second & 0x7F
        if size == 126:
            size = int.from_bytes(self._exactly(2), "big")
        elif size == 127:
            size = int.from_bytes(self._exactly(8), "big")
        mask = self._exactly(4)
        data = self._exactly(size)
        whole = int.from_bytes((mask * (size // 4 + 1))[:size], "big") ^ int.from_bytes(data, "big")
        return first & 0x0F, bool(first & 0x80), whole.to_bytes(size, "big")

    def messages(self):
        kind, parts = 0, []
        while True:
            opcode, last, data = self._frame()
            if opcode == CLOSE:
                self.close()
                return
            if opcode == PING:
                self.send(PONG, data)
            elif opcode != PONG:
                kind = opcode or kind
                parts.append(data)
                if last:
                    yield kind, b"".join(parts)
                    parts = []


def over(ask, start_response):
    """What is returned when the connection has been used means nothing."""
    if ask.variant % 3 == 0:
        raise StopIteration
    if ask.variant % 3 == 1:
        start_response("200 OK", [("X-Mark", "unheard")])
    return []


def echo(ask, environ, start_response):
    with until_gone():
        talk = Talk(ask, environ)
        for kind, data in talk.messages():
            talk.send(kind, data)
    return over(ask, start_response)


def answer_instead(ask, environ, start_response):
    """Looks at the socket, which uses nothing."""
    repr(environ["gunicorn.socket"])
    time.sleep(ask.pause)
    start_response(f"{ask.status} Torture", ask.fields)
    return [ask.pieces()]


def fail_first(ask, environ, start_response):
    time.sleep(ask.pause)
    raise OnPurpose(ask.mark)


def fail_late(ask, environ, start_response):
    with until_gone():
        talk = Talk(ask, environ)
        for index in range(ask.count):
            talk.say(index)
    raise OnPurpose(ask.mark)


def leave(ask, environ, start_response):
    """Ends without closing."""
    with until_gone():
        Talk(ask, environ).say(0)
    return over(ask, start_response)


def flood(ask, environ, start_response):
    """Sends without listening."""
    with until_gone():
        talk = Talk(ask, environ)
        for index in range(ask.count):
            talk.say(index)
        talk.close(3000)
    return over(ask, start_response)


def thread_left(ask, environ, start_response):
    """A thread that goes on using the connection when the request is over."""
    def go_on(talk):
        with until_gone():
            for index in range(ask.count):
                talk.say(index)
                time.sleep(0.002)
            talk.close()

    with until_gone():
        threading.Thread(target=go_on, args=(Talk(ask, environ),), daemon=True).start()
        time.sleep(ask.pause)
    return over(ask, start_response)


def closed(ask, environ, start_response):
    """Closes its socket itself, once or by each of two copies."""
    with until_gone():
        talk = Talk(ask, environ)
        talk.close()
        with contextlib.suppress(OSError):
            copy = talk.socket.dup() if ask.variant % 2 else talk.socket
            talk.socket.close()
            copy.close()
    return over(ask, start_response)


def used_late(ask, environ, start_response):
    """Sockets of requests whose response has begun are refused."""
    for old in kept[:]:
        with contextlib.suppress(OSError):
            old.send(b"from the past")
    start_response(f"{ask.status} Torture", ask.fields)
    yield ask.pieces()
    kept.append(environ["gunicorn.socket"])
    del kept[:-5]


ACTS = {
    act.__name__: act
    for act in (
        echo, answer_instead, fail_first, fail_late, leave, flood, thread_left, closed, used_late,
    )
}
