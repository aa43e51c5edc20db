# SPDX-License-Identifier: MIT
"""Calls the Flask application in a loop, without any server: bare_loop.py SECONDS prints the number of
calls and the CPU-seconds they took."""

import io
import sys
import time

from hello_flask import app

ENVIRON = {
    "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_SOFTWARE": "none", "REMOTE_ADDR": "127.0.0.1",
    "REMOTE_PORT": "50000", "HTTP_HOST": "127.0.0.1:8000", "RAW_URI": "/", "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr, "wsgi.multithread": False, "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


def call():
    environ = ENVIRON.copy()
    environ["wsgi.input"] = io.BytesIO()
    head = []
    body = app(environ, lambda status, headers, exc_info=None: head.extend((status, headers)))
    try:
        b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    assert head[0] == "200 OK"


def main():
    seconds = float(sys.argv[1])
    for _ in range(500):
        call()
    calls, begin, cpu = 0, time.monotonic(), time.process_time()
    while time.monotonic() - begin < seconds:
        for _ in range(50):
            call()
        calls += 50
    print(calls, time.process_time() - cpu, time.monotonic() - begin)


main()
