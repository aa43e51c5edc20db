# SPDX-License-Identifier: MIT
"""The way of access lines through Python's loggers. They take it only while something of the application's
decides about them there: a filter, a handler, a formatter, a logger class.
"""

import collections
import importlib
import logging
import time

from .gunicorn_objects import Request, Response
from .server_log import ACCESS_LOG, ERROR_LOG, AccessLogger, Atoms, LogHandler, Logger, logs_access_to_syslog
from .server_settings import find_object

UVICORN_ACCESS = "uvicorn.access"
_UVICORN_FORM = '%s - "%s %s HTTP/%s" %d'


class _Ready(str):
    """The message of an access record: the line as the server makes it, as long as nobody has changed the
    values it is made of."""

    def __new__(cls, line, form, args=None):
        self = super().__new__(cls, line)
        self.form, self.args = form, args
        return self

    def __str__(self):
        return self

    def __mod__(self, args):
        unchanged = not args.changed if isinstance(args, Atoms) else args == self.args
        return self[:] if unchanged or self.form == "json" else self.form % args


class _Record:
    """What the server knows of a request that is to be logged."""

    def __init__(self, line, remote, method, target, path, query, protocol, status, sent, micros, asked, sent_fields,
                 noted):
        self.line, self.remote, self.method, self.target, self.query = line, remote, method, target, query
        self.protocol, self.status = protocol, status
        self.took = _timedelta()(microseconds=micros)
        if "%" in path:
            from urllib.parse import unquote_to_bytes

            path = unquote_to_bytes(path).decode("latin-1")
        headers = [(name.upper(), value) for name, value in asked]
        version = tuple(int(each) for each in protocol.rpartition("/")[2].split(".") if each.isdigit())
        self.request = Request(method, path, query, version, headers, (remote, 0))
        self.request.uri = target
        self.response = Response(self.request)
        self.response.status = f"{status} {_phrase(status)}"
        self.response.headers, self.response.sent = sent_fields, sent
        self.environ = {
            "REQUEST_METHOD": method, "RAW_URI": target, "PATH_INFO": path, "QUERY_STRING": query,
            "SERVER_PROTOCOL": protocol, "REMOTE_ADDR": remote, "SCRIPT_NAME": "",
        }
        for name, value in headers:
            key = name.replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = "HTTP_" + key
            self.environ[key] = f"{self.environ[key]},{value}" if key in self.environ else value
        self.environ.update(noted)


def _timedelta():
    # Not before it is needed: every worker would feel the import.
    from datetime import timedelta

    return timedelta


def _phrase(status):
    from http import HTTPStatus

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


class AccessRoute:
    """One per process. Tells the server by `switch` whether it wants the records."""

    def __init__(self):
        self.log = self.cfg = self.switch = self.defer = self.pause = None
        self.asgi = self.on = False
        self.uvicorns = None  # the state of its logger as it was made, where it was made here
        self.pending, self.waiting = collections.deque(), 0

    def begin(self, log, cfg, switch, asgi, greenlets):
        """The application is loaded. `greenlets` names the package whose greenlets run requests, or is ""."""
        self.log, self.cfg, self.switch, self.asgi = log, cfg, switch, asgi
        # A handler may wait in a greenlet, which the server's loop must not.
        if greenlets:
            package = importlib.import_module(greenlets)
            self.defer = package.spawn_raw if greenlets == "gevent" else package.spawn_n
            self.pause = package.sleep
        self.reconsider()

    def end(self):
        """Nothing more will be logged; what waits is, and handlers that wait have a moment to end."""
        if self.switch is None:
            return
        self.switch(None)
        self.switch = None
        while self.pending:
            self._emit_next()
        deadline = time.monotonic() + 1
        while self.waiting and time.monotonic() < deadline:
            self.pause(0.01)

    def reconsider(self):
        if self.switch is None:
            return
        wanted = self._enabled() and (self._has_own_way() or _is_shaped(ACCESS_LOG) or self._is_uvicorns())
        if wanted != self.on:
            self.on = wanted
            self.switch(self.take if wanted else None)

    def _enabled(self):
        is_logged = self.cfg.accesslog is not None or logs_access_to_syslog(self.cfg)
        return self._has_own_way() or is_logged or self._is_uvicorns()

    def _has_own_way(self):
        return self._class_decides() or bool(
            self.cfg.logconfig or self.cfg.logconfig_dict or self.cfg.logconfig_json)

    def _class_decides(self):
        kind = type(self.log)
        return any(getattr(kind, name, None) is not getattr(Logger, name) for name in _WAYS)

    def _is_uvicorns(self):
        """Something was done to its logger, which is what shows the requests of ASGI there."""
        log = logging.getLogger(UVICORN_ACCESS)
        return self.asgi and (log.filters, log.handlers, log.propagate, log.level) != self.uvicorns

    def take(self, *told):
        record = _Record(*told)
        if self.defer is None:
            self._emit(record)
        else:
            self.pending.append(record)
            self.defer(self._emit_next)

    def _emit_next(self):
        if not self.pending:
            return
        self.waiting += 1
        try:
            self._emit(self.pending.popleft())
        finally:
            self.waiting -= 1

    def _emit(self, record):
        try:
            self._log(record)
        except Exception:
            logging.getLogger(ERROR_LOG).exception("an access line was lost")

    def _log(self, record):
        form = self.cfg.settings["access_log_format"].value
        if self._is_uvicorns() and not self._class_decides():
            args = (record.remote, record.method, record.target, record.protocol.rpartition("/")[2], record.status)
            logging.getLogger(UVICORN_ACCESS).info(_Ready(record.line, _UVICORN_FORM, args), *args)
        elif type(self.log) is Logger:
            atoms = Atoms(self.log.atoms(record.response, record.request, record.environ, record.took))
            logging.getLogger(ACCESS_LOG).info(_Ready(record.line, form), atoms)
        else:
            self.cfg.line_of_request = _Ready(record.line, form)
            self.log.access(record.response, record.request, record.environ, record.took)


access_route = AccessRoute()
AccessLogger.reconsider = access_route.reconsider

# What of a logger class decides about access lines.
_WAYS = ("access", "access_fmt", "access_log_enabled", "atoms", "atoms_wrapper_class", "now", "_get_user")


def _is_shaped(name):
    """Whether the logger is another than the server has made it. `disabled` does not count: a dictConfig that
    knows nothing of the server sets it."""
    log = logging.getLogger(name)
    is_error = name == ERROR_LOG
    if log.filters or log.propagate or (not is_error and log.getEffectiveLevel() > logging.INFO):
        return True
    stream = Logger.streams[ERROR_LOG if is_error else ACCESS_LOG]
    as_made = [isinstance(each, LogHandler) and each.stream is stream and each.is_as_made() for each in log.handlers]
    return not all(as_made) or not (as_made or is_error)


def report(text, error):
    """Logs the failure of a request as gunicorn does, where the application has shaped that; False where not."""
    log = logging.getLogger(ERROR_LOG)
    if log.disabled or not _is_shaped(ERROR_LOG):
        return False
    log.error(text, exc_info=error)
    return True


def make_logger(kind, cfg):
    """The loggers that code finds where gunicorn runs it, and where uvicorn does."""
    for name in (ACCESS_LOG, UVICORN_ACCESS):
        log = logging.getLogger(name)
        if type(log) is logging.Logger:
            log.__class__ = AccessLogger
    log = kind(cfg)
    error, access = logging.getLogger(ERROR_LOG), logging.getLogger(ACCESS_LOG)
    _lend("uvicorn", error, [_Fallback(each) for each in error.handlers if isinstance(each, LogHandler)])
    _lend("uvicorn.error", error, error.handlers)
    if _lend(UVICORN_ACCESS, access, access.handlers):
        access_route.uvicorns = ([], list(access.handlers), False, access.level)
    return log


def _lend(name, source, handlers):
    """Gives a logger of uvicorn's handlers of gunicorn's, unless the application has set it up already."""
    log = logging.getLogger(name)
    if log.handlers or log.level != logging.NOTSET:
        return False
    log.handlers, log.propagate = list(handlers), name == "uvicorn" and not handlers
    log.setLevel(source.level)
    return True


class _Fallback(LogHandler):
    """Of a logger that has a handler under uvicorn and none under gunicorn: one that is added takes its place."""

    def __init__(self, handler):
        super().__init__(handler.stream)
        self.setFormatter(handler.formatter)

    def emit(self, record):
        if all(isinstance(each, _Fallback) for each in logging.getLogger("uvicorn").handlers):
            super().emit(record)


def logger_class(cfg):
    spec = cfg.settings["logger_class"].value
    if spec in ("gunicorn.glogging.Logger", "simple"):
        return Logger
    kind = find_object("logger_class", spec)
    if hasattr(kind, "install"):
        kind.install()
    return kind
