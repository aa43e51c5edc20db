# SPDX-License-Identifier: MIT
"""A WSGI application whose import waits until a pipe has been opened and closed by somebody."""

import os

with open(os.environ["IMPORT_WAITS_FOR"]) as pipe:
    pipe.read()


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
