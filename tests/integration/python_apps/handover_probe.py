# SPDX-License-Identifier: MIT
"""WSGI requests that take their client's connection, or not. The first segment of the path names one.

What is spoken on it is no WebSocket: bytes, after a handshake.
"""

import os
import selectors
import socket
import threading
import time

HANDSHAKE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"

after = []
kept = []


def answer(start_response, text, status="200 OK"):
    body = text.encode("latin-1")
    start_response(status, [("Content-Length", str(len(body)))])
    return [body]


def pid(environ, start_response):
    return answer(start_response, str(os.getpid()))


def what_came_after(environ, start_response):
    return answer(start_response, " ".join(after))


def accepted(environ):
    sock = environ["gunicorn.socket"]
    sock.sendall(HANDSHAKE)
    return sock


def echo_on(sock):
    while data := sock.recv(65536):
        sock.sendall(data)


def echo(environ, start_response):
    echo_on(accepted(environ))
    raise StopIteration


def returns(environ, start_response):
    echo_on(accepted(environ))
    return answer(start_response, "for nobody")


def returns_nothing(environ, start_response):
    """As eventlet.websocket does."""
    echo_on(accepted(environ))
    return []


def writes(environ, start_response):
    write = start_response("200 OK", [])
    echo_on(accepted(environ))
    write(b"for nobody")
    return [b"for nobody"]


def generates(environ, start_response):
    yield b""
    echo_on(accepted(environ))
    yield b"for nobody"
    yield "nor what is wrong"


def fails(environ, start_response):
    echo_on(accepted(environ))
    raise ValueError("on purpose")


def in_a_thread(environ, start_response):
    """All of it in another thread, or greenlet where those are patched."""
    worker = threading.Thread(target=lambda: echo_on(accepted(environ)))
    worker.start()
    worker.join()
    raise StopIteration


def answers_beside(environ, start_response):
    """Another thread is still saying something when this is done."""
    sock = accepted(environ)

    def speak():
        sock.sendall(b"last ")
        time.sleep(0.1)
        sock.sendall(b"words")
        sock.close()

    threading.Thread(target=speak).start()
    raise StopIteration


def waits_for_it(environ, start_response):
    sock = accepted(environ)
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        while selector.select(10):
            data = sock.recv(65536)
            if not data:
                break
            sock.sendall(data)
    raise StopIteration


def as_a_file(environ, start_response):
    sock = accepted(environ)
    with sock.makefile("rwb") as file:
        for line in file:
            file.write(line)
            file.flush()
    raise StopIteration


def duplicates(environ, start_response):
    """What is closed is not the last of it."""
    sock = accepted(environ)
    copy = sock.dup()
    sock.close()
    with copy:
        echo_on(copy)
    raise StopIteration


def closes(environ, start_response):
    """Its client sees the end at once, and not when this has come to its own."""
    with accepted(environ):
        pass
    end = time.monotonic() + 10
    while "closed" not in after and time.monotonic() < end:
        time.sleep(0.01)
    raise StopIteration


def closed(environ, start_response):
    after.append("closed")
    return answer(start_response, "closed")


def says_goodbye(environ, start_response):
    sock = accepted(environ)
    while sock.recv(100):
        pass
    sock.sendall(b"bye")
    raise StopIteration


def never_ends(environ, start_response):
    sock = accepted(environ)
    try:
        while True:
            time.sleep(0.01)
            sock.getpeername()
    finally:
        after.append("ended")


def ignores(environ, start_response):
    sock = environ["gunicorn.socket"]
    seen = [
        str(len(repr(environ)) > 100), str(isinstance(sock, socket.socket)), str(sock.getpeername() is not None),
        str(sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM),
        str(sock.gettimeout()),
    ]
    return answer(start_response, " ".join(seen))


def has_none(environ, start_response):
    return answer(start_response, str("gunicorn.socket" in environ))


def stops_without(environ, start_response):
    raise StopIteration


def keeps(environ, start_response):
    kept.append(environ["gunicorn.socket"])
    return answer(start_response, "kept")


def uses_kept(environ, start_response):
    told = []
    for use in ("recv", "sendall", "fileno"):
        try:
            told.append(str(getattr(kept[-1], use)(*{"recv": (1,), "sendall": (b"x",)}.get(use, ()))))
        except OSError as error:
            told.append(type(error).__name__)
    return answer(start_response, " ".join(told))


def too_late(environ, start_response):
    """It answers, and uses the connection then."""
    start_response("200 OK", [("Content-Length", "10")])
    yield b"first"
    try:
        environ["gunicorn.socket"].sendall(b"mixed in")
    except OSError:
        after.append("refused")
    yield b"other"


def slow(environ, start_response):
    """request_timeout comes before it uses the connection."""
    try:
        time.sleep(10)
    finally:
        try:
            environ["gunicorn.socket"].sendall(b"mixed in")
        except OSError:
            after.append("refused")


def application(environ, start_response):
    name = environ["PATH_INFO"].split("/")[1]
    return globals()[name](environ, start_response)
