# SPDX-License-Identifier: MIT
"""A logger class that waits while it logs a request, of which the server has nothing left by then."""

import time

from gunicorn.glogging import Logger


class Log(Logger):
    def access(self, resp, req, environ, request_time):
        time.sleep(0.001)
        super().access(resp, req, environ, request_time)
