# SPDX-License-Identifier: MIT
"""What has no file of the server's."""


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "11")])
    return [b"application"]
