# SPDX-License-Identifier: MIT
"""What a WebSocket by HTTP/2 is to an ASGI application; the path names what is done."""

import json

endings: dict[str, list] = {}


async def asgi(scope, receive, send):
    if scope["type"] == "http":
        body = json.dumps(endings.get(scope["query_string"].decode())).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        return await send({"type": "http.response.body", "body": body})
    if scope["type"] != "websocket":
        raise NotImplementedError
    assert (await receive())["type"] == "websocket.connect"
    if scope["path"] == "/deny":
        return await send({"type": "websocket.close"})
    if scope["path"] == "/page":
        await send({"type": "websocket.http.response.start", "status": 200, "headers": [(b"x-own", b"yes")]})
        return await send({"type": "websocket.http.response.body", "body": b"no WebSocket here"})
    fields = [(b"x-chosen", b"yes"), (b"sec-websocket-accept", b"forged")]
    await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None), "headers": fields})
    if scope["path"] == "/scope":
        shown = {key: scope[key] for key in ("type", "http_version", "scheme", "path", "subprotocols")}
        shown["headers"] = {name.decode(): value.decode() for name, value in scope["headers"]}
        await send({"type": "websocket.send", "text": json.dumps(shown)})
    if scope["path"] == "/fails":
        raise RuntimeError("on purpose")
    while (message := await receive())["type"] == "websocket.receive":
        kept = {key: message[key] for key in ("text", "bytes") if message.get(key) is not None}
        await send({"type": "websocket.send", **kept})
    endings[scope["query_string"].decode()] = [message["code"], message.get("reason")]
