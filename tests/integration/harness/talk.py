# SPDX-License-Identifier: MIT
"""Talking to native_apps/talk.cpp with a decent client."""

import contextlib

from websockets.sync.client import connect

from .waiting import wait_until

LIMIT = 10


def url(server, target: str) -> str:
    host, port = server.address
    return f"ws://{host}:{port}{target}"


@contextlib.contextmanager
def opened(server, target: str = "/echo", **more):
    more.setdefault("max_size", None)
    with connect(url(server, target), open_timeout=LIMIT, close_timeout=LIMIT, **more) as socket_:
        yield socket_


def ending(server, name: str) -> str:
    return wait_until(lambda: server.get(f"/ending?name={name}").body.decode(), f"the ending of {name}")
