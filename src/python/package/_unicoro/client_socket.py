# SPDX-License-Identifier: MIT
"""environ["gunicorn.socket"]: the client's connection for applications that make the handshake of a WebSocket
themselves.
"""

import functools

from . import gevent_websocket

# What uses a connection. Not so: looking at it (getpeername, getsockopt, repr) or having it.
_USES_OF_SOCKETS = (
    "close", "detach", "dup", "fileno", "makefile", "recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg",
    "recvmsg_into", "send", "sendall", "sendfile", "sendmsg", "sendto", "setblocking", "settimeout", "shutdown",
)


@functools.lru_cache(maxsize=None)
def _client_socket_class(base):
    """`base` is the socket.socket of the worker: the standard library's, gevent's or eventlet's."""
    import errno
    import socket

    def plain(self, name):
        method = getattr(base, name, None)
        # Each socket of eventlet has some methods for itself, which are those of another one within.
        return getattr(self.fd, name) if method is None else method.__get__(self)

    class ClientSocket(base):
        _gevent_websocket = None
        _take = None  # its end tells the server that the socket is not used any more
        _taken = _has_copies = False

        def _is_taken(self):
            if not self._taken and self._take is not None:
                if not self._take():
                    return False
                self._taken = True
                # The server's does not block.
                plain(self, "settimeout")(socket.getdefaulttimeout())
            return True

        def _close_only(self):
            plain(self, "close")()
            if not self._has_copies:
                self._take = None

        def close(self):
            # The server has the connection too, and the client is to see the end.
            if self._is_taken() and not self._has_copies:
                try:
                    plain(self, "shutdown")(socket.SHUT_RDWR)
                except OSError:
                    pass
            self._close_only()

        def __repr__(self):
            if self._taken or self._take is None:
                return super().__repr__()
            # That of a socket asks for its number, which whoever wants it might use.
            return f"<{base.__module__}.{base.__qualname__} of the client, not used yet>"

        if hasattr(base, "__del__"):
            __del__ = _close_only

    def using(name):
        def method(self, *arguments, **named):
            if not self._is_taken():
                raise OSError(errno.EBADF, "the request was answered: its connection is the server's")
            if name in ("detach", "dup", "makefile"):
                self._has_copies = True
            return plain(self, name)(*arguments, **named)

        method.__name__ = name
        return method

    for name in _USES_OF_SOCKETS:
        if name != "close":
            setattr(ClientSocket, name, using(name))
    ClientSocket.__name__, ClientSocket.__qualname__ = base.__name__, base.__qualname__
    ClientSocket.__module__ = base.__module__
    return ClientSocket


def client_socket(fd, take, environ, application):
    import _socket
    import socket

    inspected = _socket.socket(fileno=fd)
    kind = inspected.family, inspected.type, inspected.proto
    inspected.detach()
    made = _client_socket_class(socket.socket)(*kind, fileno=fd)
    for name in _USES_OF_SOCKETS:
        vars(made).pop(name, None)
    made._take = take
    environ["gunicorn.socket"] = made
    if socket.socket.__module__.startswith("gevent."):
        gevent_websocket.add(environ, made, application)
    return made


def end_client_socket(made):
    """The request is answered."""
    made._gevent_websocket = None
    made._close_only()


def finish_client_socket(made):
    """The application has used it and is done."""
    handler, made._gevent_websocket = made._gevent_websocket, None
    if handler is not None and handler.finish():
        made._close_only()
