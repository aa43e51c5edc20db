# SPDX-License-Identifier: MIT
"""What gunicorn's server hooks and loggers are called with, but for the settings and the arbiter itself."""

import os
import sys


class Facade:
    """What of gunicorn's own insides is not there is said, not found to be missing."""

    def __getattr__(self, name):
        raise AttributeError(
            f"{type(self).__name__} has no {name!r} here: docs/migration.md, \"Server hooks\", says what hooks find")


class Request(Facade):
    """What pre_request and post_request get of a request."""

    def __init__(self, method, path, query, version, headers, remote):
        self.method, self.path, self.query, self.version = method, path, query, version
        self.headers, self.trailers = headers, []
        self.remote_addr = self.peer_addr = remote
        self.uri = f"{path}?{query}" if query else path
        self.fragment = ""
        self.scheme = "http"
        self.proxy_protocol_info = self.body = None

    def should_close(self):
        options = [value.strip().lower() for name, value in self.headers if name == "CONNECTION"]
        return "close" in options or (self.version <= (1, 0) and "keep-alive" not in options)


class Response(Facade):
    """What post_request gets of a response."""

    upgrade = False

    def __init__(self, req):
        self.req, self.version = req, "HTTP/" + ".".join(map(str, req.version))
        self.status, self.headers, self.sent = "", [], 0

    @property
    def status_code(self):
        return int(self.status.split(" ", 1)[0]) if self.status else 0

    @property
    def headers_sent(self):
        return bool(self.status)

    @property
    def response_length(self):
        lengths = [value for name, value in self.headers if name.lower() == "content-length"]
        return int(lengths[0]) if lengths else None

    @property
    def chunked(self):
        return self.response_length is None and self.status_code not in (204, 304)

    def is_chunked(self):
        return self.chunked

    def should_close(self):
        return self.req.should_close()


class Listener(Facade):
    """A listening socket, which the server keeps: who asks gets a copy of it."""

    def __init__(self, fd, text):
        self._fd, self._text = fd, text

    @property
    def sock(self):
        from socket import socket

        return socket(fileno=os.dup(self._fd))

    def fileno(self):
        return self._fd

    def getsockname(self):
        with self.sock as copy:
            return copy.getsockname()

    def __str__(self):
        return self._text

    def __getattr__(self, name):
        return getattr(self.sock, name)


class Application(Facade):
    """What gunicorn wraps around the application (`worker.app`)."""

    def __init__(self, cfg, log):
        self.cfg, self.logger = cfg, log
        self.app_uri = cfg.app
        self.callable = None

    def wsgi(self):
        if self.callable is None:
            raise RuntimeError("the application is not loaded in this process: preload_app loads it in a process that forks the workers")
        return self.callable

    load = wsgi


class Worker(Facade):
    def __init__(self, server, age, listeners):
        self.server, self.cfg, self.log, self.app, self.age = server, server.cfg, server.log, server.app, age
        self.sockets = listeners
        self.ppid = server.pid
        self.pid = "[booting]"
        self.alive, self.booted, self.aborted = True, False, False
        self.exitcode = self.reloader = self.wsgi = None
        self.nr = 0
        self.timeout = server.timeout
        self.max_requests = server.cfg.max_requests or sys.maxsize

    def notify(self):
        """The server's own loop tells that the worker is alive."""

    def __str__(self):
        return f"<Worker {self.pid}>"


# The names that code compares: server.worker_class.__name__.
WORKER_CLASSES = {
    name: type(kind, (Worker,), {"__module__": f"gunicorn.workers.{module}"})
    for name, kind, module in (
        ("sync", "SyncWorker", "sync"), ("gthread", "ThreadWorker", "gthread"), ("async", "GeventWorker", "ggevent"),
        ("eventlet", "EventletWorker", "geventlet"),
    )
}
