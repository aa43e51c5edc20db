# SPDX-License-Identifier: MIT
"""The Python half of the server, which the extension module has within it (embedded.py). Nothing here runs while a
request is served, except what hooks, loggers and ends of calls ask for.

This module has what code of an application may meet. The name begins with an underscore, so that no module of
an application is likely to have it.
"""

__all__ = ["AppNotFound", "CallEnded", "RequestCancelled"]


class AppNotFound(Exception):
    """The application specification does not lead to an application."""


class RequestCancelled(BaseException):
    """Raised in the code of a request that ran out of time (request_timeout) or whose worker ends.

    As with GeneratorExit, code that cleans up may catch it and should let it pass.
    """

    def __init__(self):
        super().__init__("the server ended this request: its time has passed, or the worker ends")

    def __reduce__(self):
        return type(self), ()


class CallEnded(RequestCancelled, SystemExit):
    """The same in code that holds its worker (-k sync), which ends by it. gunicorn raises SystemExit there."""
