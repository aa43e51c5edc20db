# SPDX-License-Identifier: MIT
"""A WSGI application that opens files: /?files=COUNT, and prints with &print=1."""

from urllib.parse import parse_qs


def app(environ, start_response):
    asked = parse_qs(environ["QUERY_STRING"])
    if "print" in asked:
        print("printed by the application", flush=True)
    files = [open(__file__) for _ in range(int(asked["files"][0]))]
    for each in files:
        each.close()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(len(files)).encode()]
