# SPDX-License-Identifier: MIT
"""Sleeps for as many seconds as the query says, then answers."""

import time


def app(environ, start_response):
    time.sleep(float(environ.get("QUERY_STRING") or "0.2"))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"slept\n"]
