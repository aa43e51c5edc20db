# SPDX-License-Identifier: MIT
"""The kinds of applications under torture, and the ends and stages of their requests."""

from dataclasses import dataclass

import acts
from acts import Act

# Who ends a request, and how.
COMPLETE = "complete"  # nobody: it is answered, and the connection kept or closed
FIN = "fin"  # the client closes
HALF = "half"  # the client ends its side and reads on
RESET = "reset"
STALL = "stall"  # the client neither sends nor reads, and stays
CLIENT_ENDS = (COMPLETE, FIN, HALF, RESET, STALL)

# Where the client ends it.
HEAD = "head"  # in the head, or in the handshake of a WebSocket
HEADED = "headed"  # behind the head, before the first byte of the body
BODY = "body"  # in the body
SENT = "sent"  # everything is sent, nothing is read
STREAMING = "streaming"  # in the response, or between the messages of a WebSocket
BETWEEN = "between"  # behind the response, on the kept connection; closing a WebSocket
STAGES = (HEAD, HEADED, BODY, SENT, STREAMING, BETWEEN)


@dataclass(frozen=True)
class Route:
    """One application of a kind."""

    prefix: str
    acts: list[Act]
    websockets: list[Act]


@dataclass(frozen=True)
class Kind:
    name: str
    arguments: tuple[str, ...]
    routes: tuple[Route, ...]
    apps: dict[str, str] | None = None
    clients: int = 24
    lifespan: bool = False
    # A request that is cancelled goes on until it has nothing to run any more.
    in_line: bool = False
    needs: str = ""  # a package of the virtual environment
    tunnels: bool = False  # WebSockets come by HTTP/2, too: no application takes connections itself

    @property
    def native(self) -> bool:
        return self.name == "native"


def _only(table, websockets=()):
    return (Route("", table, list(websockets)),)


_THREADS = _only(acts.WSGI_THREADS, acts.WSGI_WEBSOCKETS)
_GREENLETS = _only(acts.WSGI_GREENLETS, acts.WSGI_WEBSOCKETS)
_BESIDE = (
    Route("/asgi", acts.ASGI, acts.ASGI_WEBSOCKETS),
    *_GREENLETS,
)
_IN_LINE = (
    Route("/asgi", acts.ASGI, acts.ASGI_WEBSOCKETS),
    Route("", acts.WSGI_IN_LINE, []),
)

KINDS = {
    kind.name: kind
    for kind in (
        Kind("sync", ("-k", "sync", "wsgi_acts:app"), _only(acts.WSGI_IN_LINE), clients=10, in_line=True),
        Kind("threads", ("-k", "gthread", "--threads", "8", "wsgi_acts:app"), _THREADS, clients=16),
        Kind("gevent", ("-k", "async", "greenlet_acts:on_gevent"), _GREENLETS, needs="gevent"),
        Kind("eventlet", ("-k", "eventlet", "greenlet_acts:on_eventlet"), _GREENLETS, needs="eventlet"),
        Kind("asgi", ("-k", "async", "asgi_acts:app"), _only(acts.ASGI, acts.ASGI_WEBSOCKETS), lifespan=True,
             tunnels=True),
        Kind("beside", ("-k", "async"), _BESIDE, {"/": "greenlet_acts:on_gevent", "/asgi": "asgi_acts:app"},
             lifespan=True, needs="gevent"),
        Kind("in-line", ("-k", "sync"), _IN_LINE, {"/": "wsgi_acts:app", "/asgi": "asgi_acts:app"},
             clients=12, lifespan=True, in_line=True),
        Kind("native", ("-k", "async"), _only(acts.NATIVE, acts.NATIVE_WEBSOCKETS), tunnels=True),
    )
}
