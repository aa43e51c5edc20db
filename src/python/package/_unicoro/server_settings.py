# SPDX-License-Identifier: MIT
"""The settings as gunicorn's hooks and loggers know them (`cfg`)."""

import importlib
import logging
import os
import sys
import types

from . import AppNotFound
from .gunicorn_names import standing_in
from .gunicorn_objects import WORKER_CLASSES
from .server_log import ERROR_LOG

HOOK_NAMES = {
    "on_starting", "on_reload", "when_ready", "pre_fork", "post_fork", "post_worker_init", "worker_int", "worker_abort",
    "pre_exec", "pre_request", "post_request", "child_exit", "worker_exit", "nworkers_changed", "on_exit", "ssl_context",
}

_files_run = {}


def run_file(place):
    """The module of a settings file of gunicorn, which is run once in a process; or of any other module."""
    if not place.startswith("/"):
        return importlib.import_module(place)
    if place not in _files_run:
        module = types.ModuleType("__config__")
        module.__file__ = place
        sys.modules["__config__"] = module
        # It was read in the folder of the start, which need not be that of the application.
        folder = os.path.dirname(place)
        if folder not in sys.path:
            sys.path.append(folder)
        # Not by its loader, which would leave a __pycache__ beside it.
        with open(place, "rb") as file, standing_in():
            exec(compile(file.read(), place, "exec"), vars(module))
        _files_run[place] = module
    return _files_run[place]


def find_object(setting, spec):
    """What `module:name`, `/file.py:name` or `module.name` names."""
    place, colon, name = spec.rpartition(":")
    if not colon:
        place, _, name = spec.rpartition(".")
    if not place:
        raise AppNotFound(f"{setting}: {spec!r} does not name a module: write module:name")
    with standing_in():
        target = run_file(place)
    for part in name.split("."):
        if not hasattr(target, part):
            raise AppNotFound(f"{setting}: there is no {name!r} in {place}")
        target = getattr(target, part)
    return target


class Setting:
    """An entry of cfg.settings."""

    def __init__(self, name, value):
        self.name, self.value = name, value

    def get(self):
        return self.value

    def __repr__(self):
        return f"<Setting {self.name} with value {self.value!r}>"


# What a setting is called here and there.
OTHER_NAMES = {"wsgi_app": "app", "websocket_max_message_size": "ws_max_size", "lifespan": "asgi_lifespan"}


def _user(written):
    if written is None:
        return os.geteuid()
    import pwd

    try:
        return pwd.getpwnam(written).pw_uid
    except KeyError:
        return int(written)


def _group(written):
    if written is None:
        return os.getegid()
    import grp

    try:
        return grp.getgrnam(written).gr_gid
    except KeyError:
        return int(written)


class Settings:
    """Every setting by its name, such as cfg.workers: what gunicorn calls `cfg`."""

    def __init__(self, values, hooks=None):
        values = dict(values)
        self.hooks = hooks or {}
        # In the forms that gunicorn has them.
        values["user"], values["group"] = _user(values["user"]), _group(values["group"])
        values["pythonpath"] = ",".join(values["pythonpath"]) or None
        values["chdir"] = values["chdir"] or os.getcwd()
        if isinstance(values["logconfig_dict"], str):
            values["logconfig_dict"] = find_object("logconfig_dict", values["logconfig_dict"])
        for name, here in OTHER_NAMES.items():
            values[name] = values[here]
        self.line_of_request = None  # of the one that is logged now
        self.settings = {name: Setting(name, value) for name, value in values.items()}

    def __getattr__(self, name):
        settings = self.__dict__.get("settings", {})
        if name in settings:
            return settings[name].value
        if name in self.__dict__.get("hooks", {}):
            return self.hooks[name]
        if name in HOOK_NAMES:
            return lambda *_: None
        raise AttributeError(f"the server has no setting {name!r}")

    def set(self, name, value):
        logging.getLogger(ERROR_LOG).warning(
            "cfg.set(%r, %r) has no effect: the server runs with the settings it has read", name, value)

    @property
    def access_log_format(self):
        form = self.settings["access_log_format"].value
        return self.line_of_request if form == "json" and self.line_of_request is not None else form

    @property
    def address(self):
        return [_address(each) for each in self.bind]

    @property
    def proc_name(self):
        return self.settings["proc_name"].value or self.app

    @property
    def default_proc_name(self):
        return self.app

    @property
    def worker_class_str(self):
        return self.settings["worker_class"].value

    @property
    def worker_class(self):
        return WORKER_CLASSES[self.worker_class_str]

    @property
    def env(self):
        return dict(each.split("=", 1) for each in self.raw_env)

    uid = property(lambda self: self.user)
    gid = property(lambda self: self.group)
    is_ssl = property(lambda self: bool(self.certfile or self.keyfile))
    ssl_options = property(lambda self: {})
    paste_global_conf = property(lambda self: None)


def _address(written):
    """An entry of `bind` as gunicorn's: host and port, the path of a unix socket or a descriptor."""
    if written.startswith("unix:"):
        path = written[len("unix:"):]
        return path[2:] if path.startswith("//") else path
    if written.startswith("fd://"):
        return int(written[len("fd://"):])
    written = written.removeprefix("tcp://")
    if written.startswith("["):
        host, _, rest = written[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = written.rpartition(":") if ":" in written else (written, "", "")
    return (host.lower() or "0.0.0.0", int(port or 8000))
