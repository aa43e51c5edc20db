# SPDX-License-Identifier: MIT
"""WSGI: requests that hold their worker, in a sleep or in a busy loop, until a file is there."""

import os
import time
import urllib.parse


def app(environ, start_response):
    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    gate = query.get("until")
    if environ["PATH_INFO"].startswith("/sleep"):
        while not os.path.exists(gate):
            time.sleep(0.01)
    elif environ["PATH_INFO"] == "/busy":
        while not os.path.exists(gate):
            pass
    environ["wsgi.input"].read()
    body = b"x" * int(query.get("bytes", 2))
    start_response(query.get("status", "200 OK"), [("Content-Length", str(len(body)))])
    return [body]
