# SPDX-License-Identifier: MIT
"""What an application sees of an encrypted connection."""

import json
import os

NAMES = ("wsgi.url_scheme", "SERVER_PORT")


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/echo":
        body = environ["wsgi.input"].read()
    elif path == "/big":
        body = b"0123456789abcdef" * 65536
    elif path == "/file":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return environ["wsgi.file_wrapper"](open(os.environ["PROBE_FILE"], "rb"))
    elif path == "/pieces":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return (b"%08d" % number * 125 for number in range(1000))
    else:
        seen = {name: value for name, value in environ.items()
                if name in NAMES or name == "HTTPS" or name.startswith("SSL_")}
        body = json.dumps(seen).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})
        return
    if scope["type"] != "http":
        raise NotImplementedError
    body = json.dumps({"scheme": scope["scheme"], "tls": scope["extensions"].get("tls")}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
