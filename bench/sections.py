# SPDX-License-Identifier: MIT
"""What is compared: who, under which load, and what is wanted of it."""

from dataclasses import dataclass

from measure import Load
from servers import (
    FILE_NAME, SMALL_NAME, Contender, bare_loop, baseline, bjoern, granian, gunicorn, nginx, nginx_tls,
    unicoro, unicoro_file, unicoro_http2, unicoro_native, unicoro_tls, uvicorn,
)

FLASK = ("flask",)
GEVENT = ("gevent",)


@dataclass
class Section:
    """Contenders under one load, in turn."""

    key: str
    title: str
    what: str  # that is counted
    load: Load
    contenders: list[Contender]
    goals: list[tuple[str, str, float | None]]  # one contender, another, and what their ratio should be
    how: str = ""
    base: str = ""  # the contender of whom the others are a part in the table


def _websocket(size: int) -> Section:
    return Section(
        f"websocket-{size}", f"WebSocket messages of {size:,} bytes", "echoes", Load(64, websocket_bytes=size),
        [
            unicoro("unicoro ASGI", "echo_asgi", "async"),
            uvicorn("uvicorn, websockets", "echo_asgi", "--ws", "websockets", modules=("websockets",)),
            granian("granian ASGI", "echo_asgi", "asgi"),
        ],
        [("unicoro ASGI", "uvicorn, websockets", 1.0), ("unicoro ASGI", "granian ASGI", 1.0)],
        "64 connections, one message under way on each (`bench/websocket.cpp`).",
    )


SECTIONS = [
    Section(
        "hello", "Hello, world", "requests", Load(64),
        [
            baseline(),
            unicoro_native(),
            nginx("nginx return 200"),
            unicoro("unicoro WSGI -k sync", "hello_wsgi", "sync"),
            unicoro("unicoro WSGI -k async", "hello_wsgi", "async", modules=GEVENT),
            gunicorn("gunicorn WSGI -k gevent", "hello_wsgi"),
            bjoern("bjoern WSGI", "hello_wsgi"),
            bare_loop("Flask in a bare loop"),
            unicoro("unicoro Flask -k sync", "hello_flask", "sync", modules=FLASK),
            unicoro("unicoro Flask -k async", "hello_flask", "async", modules=FLASK + GEVENT),
            gunicorn("gunicorn Flask -k gevent", "hello_flask", modules=FLASK),
            bjoern("bjoern Flask", "hello_flask", modules=FLASK),
            unicoro("unicoro ASGI", "hello_asgi", "async"),
            uvicorn("uvicorn uvloop httptools", "hello_asgi"),
            granian("granian ASGI", "hello_asgi", "asgi", "--no-ws"),
        ],
        [
            ("unicoro native", "epoll baseline", 0.80),
            ("unicoro native", "nginx return 200", 0.95),
            ("unicoro WSGI -k sync", "gunicorn WSGI -k gevent", 8.0),
            ("unicoro WSGI -k async", "gunicorn WSGI -k gevent", 8.0),
            ("unicoro WSGI -k async", "bjoern WSGI", 1.0),
            ("unicoro Flask -k sync", "gunicorn Flask -k gevent", None),
            ("unicoro Flask -k async", "gunicorn Flask -k gevent", 2.8),
            ("unicoro Flask -k async", "Flask in a bare loop", 0.75),
            ("unicoro Flask -k async", "bjoern Flask", 1.0),
            ("bjoern Flask", "Flask in a bare loop", None),
            ("unicoro ASGI", "uvicorn uvloop httptools", 1.6),
            ("unicoro ASGI", "granian ASGI", 1.0),
        ],
        base="epoll baseline",
    ),
    Section(
        "body", "A request body of 1 MB, read whole", "MB", Load(16, script="body.lua"),
        [
            unicoro("unicoro -k async", "bodies_wsgi", "async", modules=GEVENT),
            unicoro("unicoro -k sync", "bodies_wsgi", "sync"),
            unicoro("unicoro --threads 8", "bodies_wsgi", "gthread", "--threads", "8"),
            granian("granian WSGI", "bodies_wsgi", "wsgi", "--no-ws"),
            gunicorn("gunicorn -k gevent", "bodies_wsgi"),
        ],
        [
            ("unicoro -k async", "granian WSGI", 1.0),
            ("unicoro -k async", "unicoro --threads 8", None),
            ("unicoro -k async", "gunicorn -k gevent", 1.0),
            ("unicoro -k sync", "granian WSGI", 1.0),
            ("unicoro --threads 8", "granian WSGI", 1.0),
        ],
        "`wsgi.input.read()`; 16 clients.",
    ),
    Section(
        "pieces", "A response of 100 pieces of 10 KB", "responses", Load(16, path="/pieces"),
        [
            unicoro("unicoro -k async", "bodies_wsgi", "async", modules=GEVENT),
            unicoro("unicoro -k sync", "bodies_wsgi", "sync"),
            unicoro("unicoro --threads 8", "bodies_wsgi", "gthread", "--threads", "8"),
            granian("granian WSGI", "bodies_wsgi", "wsgi", "--no-ws"),
            gunicorn("gunicorn -k gevent", "bodies_wsgi"),
        ],
        [
            ("unicoro -k async", "granian WSGI", 1.0),
            ("unicoro --threads 8", "granian WSGI", 1.0),
            ("unicoro -k async", "gunicorn -k gevent", None),
        ],
        "An iterable; 16 clients.",
    ),
    Section(
        "sleep", "Requests that wait 10 ms", "requests", Load(512, path="/?0.01"),
        [
            unicoro("unicoro WSGI -k async", "sleeping_wsgi", "async", modules=GEVENT),
            gunicorn("gunicorn WSGI -k gevent", "sleeping_wsgi"),
            granian("granian WSGI", "sleeping_wsgi", "wsgi", "--no-ws"),
            unicoro("unicoro ASGI", "sleeping_asgi", "async"),
            uvicorn("uvicorn uvloop httptools", "sleeping_asgi"),
            granian("granian ASGI", "sleeping_asgi", "asgi", "--no-ws"),
        ],
        [
            ("unicoro WSGI -k async", "gunicorn WSGI -k gevent", 1.0),
            ("unicoro WSGI -k async", "granian WSGI", 1.0),
            ("unicoro ASGI", "uvicorn uvloop httptools", 1.0),
            ("unicoro ASGI", "granian ASGI", 1.0),
        ],
        "512 clients, so 51,200 a second at most.",
    ),
    _websocket(32),
    _websocket(4000),
    Section(
        "file", "A static file of 100 KB", "responses", Load(64, path=f"/{FILE_NAME}"),
        [unicoro_file("unicoro native, response::file"), nginx("nginx, sendfile")],
        [("unicoro native, response::file", "nginx, sendfile", None)],
    ),
    Section(
        "tls", "HTTPS: a file of 16 KiB", "responses", Load(64, path=f"/{SMALL_NAME}", scheme="https"),
        [unicoro_tls("unicoro native, TLS"), nginx_tls("nginx, TLS")],
        [("unicoro native, TLS", "nginx, TLS", 0.9)],
        "64 connections that stay, TLS 1.3 with AES-128-GCM, the same certificate (P-256).",
    ),
    Section(
        "handshakes", "HTTPS: handshakes", "connections", Load(64, path=f"/{SMALL_NAME}", scheme="https", closes=True),
        [unicoro_tls("unicoro native, TLS"), nginx_tls("nginx, TLS")],
        [("unicoro native, TLS", "nginx, TLS", 0.9)],
        "A connection with a full handshake for each request of that file.",
    ),
    Section(
        "http2", "HTTP/2: hello, world", "requests", Load(16, scheme="https", streams=32),
        [unicoro_http2("unicoro native, HTTP/2"), nginx_tls("nginx, HTTP/2")],
        [("unicoro native, HTTP/2", "nginx, HTTP/2", 0.9)],
        "h2load: 16 connections that stay with 32 requests at once on each, over TLS as above.",
    ),
]
