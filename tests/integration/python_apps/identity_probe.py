# SPDX-License-Identifier: MIT
"""A WSGI application that tells who it takes itself for."""

import os


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    names = ("HOME", "USER", "LOGNAME")
    return [" ".join([os.path.expanduser("~"), *(os.environ[name] for name in names)]).encode()]
