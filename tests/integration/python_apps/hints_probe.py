# SPDX-License-Identifier: MIT
"""Early hints, WSGI and ASGI: the path names what is done."""

TEXT = [("Content-Type", "text/plain")]
STYLE = ("Link", "</style.css>; rel=preload; as=style")
kept = []


def hints(environ, start_response):
    send = environ["wsgi.early_hints"]
    send([STYLE, ("X-Number", "1"), ("Content-Length", "7"), ("Connection", "close")])
    start_response("200 OK", TEXT)
    send(iter([[b"link", b"</code.js>; rel=preload; as=script"]]))
    send([])
    return [b"done"]


def streamed(environ, start_response):
    write = start_response("200 OK", TEXT)
    environ["wsgi.early_hints"]([STYLE])
    write(b"written ")
    environ["wsgi.early_hints"]([STYLE])
    yield b"yielded "
    environ["wsgi.early_hints"]([STYLE])
    yield b"twice"


def wrong(environ, start_response):
    raised = []
    for headers in ([("Link", "a\r\nSet-Cookie: b")], [("Li nk", "a")], [("Link",)], ["Link"], [("Link", 1)], 7,
                    [("Link", "a"), ("Link", "b\n")], [("Link", "\u2603")]):
        try:
            environ["wsgi.early_hints"](headers)
        except (TypeError, ValueError) as failure:
            raised.append(type(failure).__name__)
    start_response("200 OK", TEXT)
    return [" ".join(raised).encode()]


def keep(environ, start_response):
    kept.append(environ["wsgi.early_hints"])
    start_response("200 OK", TEXT)
    return [b"kept"]


def use_kept(environ, start_response):
    kept[0]([STYLE])
    start_response("200 OK", TEXT)
    return [b"used"]


def many(environ, start_response):
    for _ in range(2000):
        environ["wsgi.early_hints"]([("Link", "x" * 8000)])
    kept.append("all said")
    start_response("200 OK", TEXT)
    return [b"done"]


def all_said(environ, start_response):
    start_response("200 OK", TEXT)
    return [str("all said" in kept).encode()]


def echo(environ, start_response):
    environ["wsgi.early_hints"]([STYLE])
    body = environ["wsgi.input"].read()
    environ["wsgi.early_hints"]([STYLE])
    start_response("200 OK", TEXT)
    return [body]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"][1:]](environ, start_response)


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        raise RuntimeError("none here")
    how = scope["path"][1:]
    offered = "http.response.early_hint" in scope["extensions"]
    hint = {"type": "http.response.early_hint", "links": (b"</style.css>; rel=preload", bytearray(b"</b>"))}
    raised = []

    async def attempt(message):
        try:
            await send(message)
        except (RuntimeError, TypeError, ValueError) as failure:
            raised.append(type(failure).__name__)

    if how == "wrong":
        for links in ((b"a\r\nb: c",), ("text",), 7, None):
            await attempt({"type": "http.response.early_hint", "links": links})
    if how == "hints":
        await send(hint)
        await send(hint)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    if how == "late":
        await attempt(hint)
    await send({"type": "http.response.body", "body": f"{offered} {' '.join(raised)}".encode()})
