# SPDX-License-Identifier: MIT
"""gunicorn's logger as Python code knows it. The loggers gunicorn.error and gunicorn.access lead to the server's
two logs.
"""

import logging
import os
import sys
import threading
import time

from . import gunicorn_names

ERROR_LOG, ACCESS_LOG = "gunicorn.error", "gunicorn.access"


def _console(name, handler):
    return {"level": "INFO", "handlers": [handler], "propagate": True, "qualname": name}


def _stream(name):
    return {"class": "logging.StreamHandler", "formatter": "generic", "stream": f"ext://sys.{name}"}


# What gunicorn adds a logconfig to; a key that is given replaces the whole of it here.
CONFIG_DEFAULTS = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"level": "INFO", "handlers": ["console"]},
    "loggers": {ERROR_LOG: _console(ERROR_LOG, "error_console"), ACCESS_LOG: _console(ACCESS_LOG, "console")},
    "handlers": {"console": _stream("stdout"), "error_console": _stream("stderr")},
    "formatters": {
        "generic": {
            "class": "logging.Formatter",
            "format": "%(asctime)s [%(process)d] [%(levelname)s] %(message)s",
            "datefmt": "[%Y-%m-%d %H:%M:%S %z]",
        },
    },
}


def loggers():
    """Every logger that was named yet."""
    return [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]


class Atoms(dict):
    """The values of an access line: the one that is missing is "-", and none can begin another line."""

    _escapes = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F)} | {ord('"'): '\\"'}

    def __init__(self, atoms):
        super().__init__(
            (key, value.translate(self._escapes) if isinstance(value, str) else value)
            for key, value in atoms.items()
        )
        self.changed = False

    def __getitem__(self, key):
        return self.get(key.lower() if key.startswith("{") else key, "-")


def _then(method, follow):
    """The method, and `follow` called with its object afterwards."""

    def call(self, *args, **named):
        result = method(self, *args, **named)
        follow(self)
        return result

    return call


def _mark_changed(atoms):
    atoms.changed = True


for _name in ("__setitem__", "__delitem__", "update", "pop", "setdefault"):
    setattr(Atoms, _name, _then(getattr(dict, _name), _mark_changed))


def logs_access_to_syslog(cfg):
    return cfg.syslog and not cfg.disable_redirect_access_to_syslog


class LogStream:
    """One of the server's logs as a stream. What is written at once stays together: it is one write(2)."""

    encoding, errors, mode, closed = "utf-8", "backslashreplace", "a", False

    def __init__(self, name, write, fileno):
        self.name, self.write, self.fileno = name, write, fileno

    def writelines(self, lines):
        self.write("".join(lines))

    def flush(self):
        pass

    def isatty(self):
        return os.isatty(self.fileno())

    def writable(self):
        return True


class LogHandler(logging.StreamHandler):
    """Writes to one of the server's logs, which the server opens, reopens and closes."""

    def is_as_made(self):
        form = self.formatter
        # What the server's own lines look like.
        usual = type(form) is logging.Formatter and (form._fmt, form.datefmt) in (
            (Logger.error_fmt, Logger.datefmt), (Logger.access_fmt, None))
        return usual and not self.filters and self.level == logging.NOTSET


class AccessLogger(logging.Logger):
    """A logger whose filters and handlers decide about access lines."""

    # What is told that they have changed; access_route puts itself there.
    reconsider = None


def _reconsider(_):
    if AccessLogger.reconsider is not None:
        AccessLogger.reconsider()


for _name in ("setFormatter", "setLevel", "addFilter", "removeFilter"):
    setattr(LogHandler, _name, _then(getattr(logging.StreamHandler, _name), _reconsider))
for _name in ("addHandler", "removeHandler", "setLevel", "addFilter", "removeFilter"):
    setattr(AccessLogger, _name, _then(getattr(logging.Logger, _name), _reconsider))


class Logger:
    """`server.log`, and what a logger_class is derived from."""

    LOG_LEVELS = {
        "critical": logging.CRITICAL, "error": logging.ERROR, "warning": logging.WARNING,
        "info": logging.INFO, "debug": logging.DEBUG,
    }
    loglevel = logging.INFO
    error_fmt = CONFIG_DEFAULTS["formatters"]["generic"]["format"]
    datefmt = CONFIG_DEFAULTS["formatters"]["generic"]["datefmt"]
    access_fmt = "%(message)s"
    syslog_fmt = "[%(process)d] %(message)s"
    atoms_wrapper_class = Atoms

    streams = {}  # of the server, by the logger's name

    def __init__(self, cfg):
        self.error_log, self.access_log = logging.getLogger(ERROR_LOG), logging.getLogger(ACCESS_LOG)
        self.error_log.propagate = self.access_log.propagate = False
        self.error_handlers, self.access_handlers = [], []
        self.logfile = None
        self.lock = threading.Lock()
        self.cfg = cfg
        self.setup(cfg)

    def setup(self, cfg):
        self.cfg = cfg
        self.loglevel = self.LOG_LEVELS.get(str(cfg.loglevel).lower(), logging.INFO)
        self.error_log.setLevel(self.loglevel)
        self.access_log.setLevel(logging.INFO)
        self._set_handler(self.error_log, cfg.errorlog, logging.Formatter(self.error_fmt, self.datefmt))
        self._set_handler(self.access_log, cfg.accesslog, logging.Formatter(self.access_fmt), sys.stdout)
        configure_logging(cfg)

    def _get_gunicorn_handler(self, log):
        return next((each for each in log.handlers if getattr(each, "_gunicorn", False)), None)

    def _set_handler(self, log, output, fmt, stream=None):
        before = self._get_gunicorn_handler(log)
        if before is not None:
            log.removeHandler(before)
        is_access = log is self.access_log
        if output is None and not (is_access and logs_access_to_syslog(self.cfg) and log.name in self.streams):
            return
        is_servers = output == (self.cfg.accesslog if is_access else self.cfg.errorlog)
        if is_servers and log.name in self.streams:
            handler = LogHandler(self.streams[log.name])
        elif output == "-":
            handler = logging.StreamHandler(stream)
        else:
            handler = logging.FileHandler(output)
        handler.setFormatter(fmt)
        handler._gunicorn = True
        log.addHandler(handler)

    def critical(self, msg, *args, **named):
        self.error_log.critical(msg, *args, **named)

    def error(self, msg, *args, **named):
        self.error_log.error(msg, *args, **named)

    def warning(self, msg, *args, **named):
        self.error_log.warning(msg, *args, **named)

    def info(self, msg, *args, **named):
        self.error_log.info(msg, *args, **named)

    def debug(self, msg, *args, **named):
        self.error_log.debug(msg, *args, **named)

    def exception(self, msg, *args, **named):
        self.error_log.exception(msg, *args, **named)

    def log(self, lvl, msg, *args, **named):
        if isinstance(lvl, str):
            lvl = self.LOG_LEVELS.get(lvl.lower(), logging.INFO)
        self.error_log.log(lvl, msg, *args, **named)

    warn, fatal = warning, critical

    @property
    def access_log_enabled(self):
        cfg = self.cfg
        return bool(cfg.accesslog or cfg.logconfig or cfg.logconfig_dict or cfg.logconfig_json
                    or logs_access_to_syslog(cfg))

    def access(self, resp, req, environ, request_time):
        if self.access_log_enabled:
            atoms = self.atoms_wrapper_class(self.atoms(resp, req, environ, request_time))
            self.access_log.info(self.cfg.access_log_format, atoms)

    def atoms(self, resp, req, environ, request_time):
        status = resp.status.split(None, 1)[0] if isinstance(resp.status, str) else resp.status
        micros = round(request_time.total_seconds() * 1000000)
        protocol = environ["SERVER_PROTOCOL"]
        atoms = {
            "h": environ.get("REMOTE_ADDR", "-"),
            "l": "-",
            "u": self._get_user(environ) or "-",
            "t": self.now(),
            "r": f"{environ['REQUEST_METHOD']} {environ['RAW_URI']} {protocol}",
            "s": status,
            "m": environ.get("REQUEST_METHOD"),
            "U": environ.get("PATH_INFO"),
            "q": environ.get("QUERY_STRING"),
            "H": protocol,
            "b": str(resp.sent) if getattr(resp, "sent", None) is not None else "-",
            "B": getattr(resp, "sent", None),
            "f": environ.get("HTTP_REFERER", "-"),
            "a": environ.get("HTTP_USER_AGENT", "-"),
            "T": micros // 1000000,
            "D": micros,
            "M": micros // 1000,
            "L": f"{micros // 1000000}.{micros % 1000000:06d}",
            "p": f"<{os.getpid()}>",
        }
        for letter, fields in (("i", getattr(req, "headers", req)), ("o", resp.headers), ("e", environ)):
            pairs = fields.items() if hasattr(fields, "items") else fields
            atoms.update({f"{{{name.lower()}}}{letter}": value for name, value in pairs})
        return atoms

    def _get_user(self, environ):
        kind, _, secret = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "basic":
            return None
        import binascii

        try:
            return binascii.a2b_base64(secret.strip()).partition(b":")[0].decode()
        except ValueError:
            return None

    def now(self):
        return time.strftime("[%d/%b/%Y:%H:%M:%S %z]")

    def reopen_files(self):
        reopen_log_files()

    def close_on_exec(self):
        """Python's own files do not outlive an exec."""


def over_defaults(given):
    """A dictionary for dictConfig. What is left of the defaults names no handler that was replaced."""
    whole = {**CONFIG_DEFAULTS, **given}
    whole["formatters"] = {**CONFIG_DEFAULTS["formatters"], **whole["formatters"]}

    def with_handlers(entry):
        return {**entry, "handlers": [each for each in entry["handlers"] if each in whole["handlers"]]}

    if "root" not in given:
        whole["root"] = with_handlers(whole["root"])
    if "loggers" not in given:
        whole["loggers"] = {name: with_handlers(entry) for name, entry in whole["loggers"].items()}
    return whole


def print_by_lines():
    """What is printed into the error log stands among its lines when it is printed, not when a buffer is full."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)


def configure_logging(cfg):
    """logconfig_dict, logconfig_json or logconfig: the first of them that is given."""
    from logging import config

    name = next((each for each in ("logconfig_dict", "logconfig_json", "logconfig") if getattr(cfg, each)), None)
    if name is None:
        return
    given = getattr(cfg, name)
    try:
        if name == "logconfig":
            defaults = {"__file__": given, "here": os.path.dirname(given)}
            config.fileConfig(given, defaults=defaults, disable_existing_loggers=False)
            return
        if name == "logconfig_json":
            import json

            with open(given, "rb") as file:
                given = json.load(file)
        config.dictConfig(over_defaults(given))
    except Exception as error:
        raise RuntimeError(f"{name}: Python's logging cannot be configured with it: {error}") from error


def reopen_log_files():
    """After a rotation: the files that handlers write to, under the same names."""
    handlers = {handler for log in (logging.root, *loggers()) for handler in getattr(log, "handlers", ())}
    for handler in handlers:
        if not isinstance(handler, logging.FileHandler) or handler.stream is None:
            continue
        handler.acquire()
        try:
            before, handler.stream = handler.stream, handler._open()
            before.close()
        except OSError as error:
            logging.getLogger(ERROR_LOG).error("%s; the file opened before stays in use", error)
        finally:
            handler.release()


Logger.__module__ = "gunicorn.glogging"


def provide():
    """What gunicorn.glogging is where gunicorn is not installed."""
    gunicorn_names.provide("gunicorn.glogging", {
        "CONFIG_DEFAULTS": CONFIG_DEFAULTS, "Logger": Logger, "SafeAtoms": Atoms, "loggers": loggers,
    })
