# SPDX-License-Identifier: MIT
"""Large bodies: what is sent is read whole, and /pieces answers with 100 pieces of 10 KB."""

PIECE = b"x" * 10_000
COUNT = 100


def app(environ, start_response):
    if environ["PATH_INFO"] == "/pieces":
        length = str(len(PIECE) * COUNT)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", length)])
        return (PIECE for _ in range(COUNT))
    body = b"%d\n" % len(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
