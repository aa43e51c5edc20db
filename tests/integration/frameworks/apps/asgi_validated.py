# SPDX-License-Identifier: MIT
"""Checks what an ASGI server passes against the specification (3.0, HTTP and WebSocket 2.5, lifespan
2.0), and answers in all the ways that it allows. A complaint ends the request with a traceback."""

import json

TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
LIFE = {"started": False}


def check(condition, what):
    if not condition:
        raise AssertionError(f"against the ASGI specification: {what}")


def check_headers(headers):
    check(not isinstance(headers, (bytes, str)), "headers is an iterable of pairs")
    for pair in headers:
        name, value = pair
        check(type(name) is bytes and type(value) is bytes, f"bytes in {pair}")
        check(name and set(name) <= TOKEN, f"{name} is a lower-case token")
        check(value.strip(b" \t") == value, f"{value} is stripped")
    check(not any(name.startswith(b":") for name, _ in headers), "no pseudo headers")


def check_address(address, what, port_optional):
    if address is None:
        return
    host, port = address
    check(type(host) is str, f"the host of {what}")
    check(type(port) is int or (port_optional and port is None), f"the port of {what}")


def check_connection(scope, http_versions):
    check(scope["asgi"]["version"] == "3.0", "asgi.version")
    check(scope["asgi"].get("spec_version", "2.0") in ("2.0", "2.1", "2.2", "2.3", "2.4", "2.5"), "spec_version")
    check(scope["http_version"] in http_versions, "http_version")
    check(type(scope["path"]) is str and scope["path"].startswith("/"), "path")
    check(type(scope["raw_path"]) is bytes and b"?" not in scope["raw_path"], "raw_path")
    check(type(scope["query_string"]) is bytes, "query_string")
    check(type(scope["root_path"]) is str, "root_path")
    check_headers(scope["headers"])
    check_address(scope["client"], "client", False)
    check_address(scope["server"], "server", True)
    check(isinstance(scope.get("state", {}), dict), "state")
    check(scope["state"]["started"] is True, "state comes from the lifespan")
    scope["state"]["mine"] = True
    check("extensions" not in scope or isinstance(scope["extensions"], dict), "extensions")


def check_request_event(event):
    check(event["type"] in ("http.request", "http.disconnect"), event)
    if event["type"] == "http.request":
        check(type(event.get("body", b"")) is bytes, "body")
        check(type(event.get("more_body", False)) is bool, "more_body")
        check(set(event) <= {"type", "body", "more_body"}, set(event))


async def read_body(receive):
    body = b""
    while True:
        event = await receive()
        check_request_event(event)
        check(event["type"] == "http.request", "the client is still there")
        body += event.get("body", b"")
        if not event.get("more_body", False):
            return body


def start(status=200, headers=()):
    return {"type": "http.response.start", "status": status, "headers": headers}


async def respond(path, scope, receive, send):
    if path == "/scope":
        body = json.dumps({
            "path": scope["path"], "raw_path": scope["raw_path"].decode(), "method": scope["method"],
            "query_string": scope["query_string"].decode(), "root_path": scope["root_path"],
            "http_version": scope["http_version"], "scheme": scope["scheme"],
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
            "server": list(scope["server"]), "leaked": "mine" in LIFE,
        }).encode()
        await send(start(headers=[[b"content-type", b"application/json"]]))
        await send({"type": "http.response.body", "body": body})
    elif path == "/echo":
        body = await read_body(receive)
        await send(start(headers=[(b"content-length", str(len(body)).encode())]))
        await send({"type": "http.response.body", "body": body, "more_body": False})
    elif path == "/pieces":
        await send(start(headers=iter([(b"x-twice", b"a"), (b"x-twice", b"b")])))
        for number in range(5):
            await send({"type": "http.response.body", "body": b"%d;" % number, "more_body": True})
        await send({"type": "http.response.body"})
    elif path == "/empty":
        await send(start(204))
        await send({"type": "http.response.body"})
    elif path == "/default-headers":
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"none given"})
    elif path == "/trailing-receive":
        await read_body(receive)
        await send(start())
        await send({"type": "http.response.body", "body": b"done"})
        event = await receive()
        check(event == {"type": "http.disconnect"}, f"{event} after the response")
    elif path == "/wrong-order":
        try:
            await send({"type": "http.response.body", "body": b"x"})
        except Exception as error:
            await send(start(500))
            await send({"type": "http.response.body", "body": type(error).__name__.encode()})
    else:
        await send(start(404))
        await send({"type": "http.response.body", "body": b"nothing here"})


async def lifespan(scope, receive, send):
    check(set(scope) >= {"type", "asgi", "state"}, set(scope))
    check(await receive() == {"type": "lifespan.startup"}, "startup first")
    scope["state"]["started"] = LIFE["started"] = True
    await send({"type": "lifespan.startup.complete"})
    check(await receive() == {"type": "lifespan.shutdown"}, "shutdown last")
    await send({"type": "lifespan.shutdown.complete"})


async def websocket(scope, receive, send):
    check_connection(scope, {"1.1", "2"})
    check(scope["scheme"] in ("ws", "wss"), "scheme")
    check(all(type(each) is str for each in scope["subprotocols"]), "subprotocols")
    check(await receive() == {"type": "websocket.connect"}, "connect first")
    if scope["path"] == "/denied":
        check("websocket.http.response" in scope["extensions"], "the extension is offered")
        await send({"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-why", b"no")]})
        await send({"type": "websocket.http.response.body", "body": b"not you"})
        return
    await send({"type": "websocket.accept", "headers": [(b"x-hello", b"yes")]})
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            check(type(event["code"]) is int, "code")
            check(event.get("reason") is None or type(event["reason"]) is str, "reason")
            print(f"closed with {event['code']}", flush=True)
            return
        check(event["type"] == "websocket.receive", event)
        data, text = event.get("bytes"), event.get("text")
        check((data is None) != (text is None), "either bytes or text")
        check(type(data) is bytes if text is None else type(text) is str, "their types")
        await send({"type": "websocket.send", "bytes": data} if text is None else {"type": "websocket.send", "text": text})


async def app(scope, receive, send):
    check(type(scope) is dict, "scope is a dict")
    if scope["type"] == "lifespan":
        return await lifespan(scope, receive, send)
    if scope["type"] == "websocket":
        return await websocket(scope, receive, send)
    check(scope["type"] == "http", scope["type"])
    check_connection(scope, {"1.0", "1.1", "2"})
    check(scope["method"] == scope["method"].upper(), "method")
    check(scope["scheme"] in ("http", "https"), "scheme")
    await respond(scope["path"].removeprefix(scope["root_path"]), scope, receive, send)
