# SPDX-License-Identifier: MIT
"""The server as gunicorn's hooks see it (the setting `hooks`)."""

import faulthandler
import json
import os
import signal
import sys
import types

from . import AppNotFound, call_ends, compat, program, server_log, stacks
from .access_route import access_route, logger_class, make_logger
from .gunicorn_objects import Application, Facade, Listener
from .hooked import HookedASGI, HookedWSGI
from .proposals import kind
from .server_log import ACCESS_LOG, ERROR_LOG, Logger, LogStream, print_by_lines, reopen_log_files
from .server_settings import Settings, find_object, run_file


class Server(Facade):
    """What gunicorn calls the arbiter: the master as hooks see it, in the master and in the workers."""

    def __init__(self, settings, hooks, settings_file, checking, natives):
        write_error, error_fd, write_access, access_fd, self._switch = natives
        if checking:
            compat.open_no_log_files()
        Logger.streams[ERROR_LOG] = LogStream("errorlog", write_error, error_fd)
        Logger.streams[ACCESS_LOG] = LogStream("accesslog", write_access, access_fd)
        server_log.provide()
        if settings_file:
            run_file(settings_file)
        self.hooks, self._named = {}, hooks
        self._find_hooks()
        self.pid = os.getpid()
        self.WORKERS, self.LISTENERS = {}, []
        self.SIG_NAMES = {each: each.name[3:].lower() for each in signal.Signals}
        self.START_CTX = {"args": [sys.executable, *sys.argv], "cwd": os.getcwd(), 0: sys.executable}
        self.master_name, self.master_pid, self.reexec_pid, self.worker_age = "Master", 0, 0, 0
        self.worker = None
        self._read = None
        self.app = self.log = None
        self.adopt(settings)

    def adopt(self, settings):
        """The settings, at the start and after each reload."""
        if program.running():
            self._find_hooks()
        if settings == self._read:
            return
        cfg = Settings(json.loads(settings), self.hooks)
        if cfg.capture_output:
            print_by_lines()
        kind = logger_class(cfg)
        if type(self.log) is kind and hasattr(kind, "setup"):
            self.log.setup(cfg)
        else:
            self.log = make_logger(kind, cfg)
        self._read, self.cfg = settings, cfg
        application, self.app = self.app, program.running() or Application(cfg, self.log)
        if application is not None:
            self.app.callable = application.callable
        self.address, self.timeout, self.num_workers = cfg.address, cfg.timeout, cfg.workers
        self.worker_class, self.proc_name = cfg.worker_class, cfg.proc_name
        self.pidfile = types.SimpleNamespace(fname=cfg.pidfile) if cfg.pidfile else None
        if self.worker is not None:
            self.worker.cfg, self.worker.log, self.worker.app = cfg, self.log, self.app

    def _find_hooks(self):
        self.hooks.update({name: _hook(name, spec) for name, spec in self._named.items()})

    def loaded(self, application):
        """An application was imported; the last one is that of "/"."""
        self.app.callable = application
        if self.worker is not None:
            self.worker.wsgi = application

    def logs_reopened(self):
        getattr(self.log, "reopen_files", reopen_log_files)()

    def listening(self, listeners):
        self.LISTENERS = [Listener(*each) for each in listeners]

    def kill_worker(self, pid, sig):
        if pid in self.WORKERS:
            os.kill(pid, sig)

    def kill_workers(self, sig):
        for pid in list(self.WORKERS):
            self.kill_worker(pid, sig)

    def fire(self, name, *args):
        hook = self.hooks.get(name)
        if hook is not None:
            hook(*args)

    # in the master

    def before_fork(self, age):
        # A program may give other functions at each reload, before the worker of the new settings is ready.
        if program.running():
            self._find_hooks()
        self.worker_age = age
        self.worker = self.worker_class(self, age, self.LISTENERS)
        self.fire("pre_fork", self, self.worker)

    def forked(self, pid):
        if pid > 0:
            self.worker.pid = pid
            self.WORKERS[pid] = self.worker
        self.worker = None

    def adopted(self, age, pid):
        """A worker that the process with the preloaded application has forked."""
        self.worker_age = age
        self.worker = self.worker_class(self, age, self.LISTENERS)
        self.forked(pid)

    def worker_ended(self, pid, status):
        worker = self.WORKERS.pop(pid, None)
        if worker is not None:
            worker.alive, worker.exitcode = False, os.waitstatus_to_exitcode(status)
            self.fire("child_exit", self, worker)

    def workers_changed(self, number, before):
        self.num_workers = number
        self.fire("nworkers_changed", self, number, before if before > 0 else None)

    # where the application is preloaded

    def preloading(self):
        self.pid = os.getppid()

    # in a worker

    def in_worker(self, age, listeners):
        self.listening(listeners)
        if self.worker is None:
            self.pid, self.worker_age = os.getppid(), age
            self.worker = self.worker_class(self, age, self.LISTENERS)
        self.worker.pid, self.worker.sockets = os.getpid(), self.LISTENERS
        self.worker.wsgi = self.app.callable
        if "worker_abort" in self.hooks:
            call_ends.tell_abort.hook = self._on_abort
            # The one that prints the stack goes first and passes the signal on to this one.
            faulthandler.disable()
            signal.signal(signal.SIGABRT, call_ends.die_of_abort)
            stacks.tell_stacks_again()
        self.fire("post_fork", self, self.worker)

    def _on_abort(self):
        self.worker.aborted = True
        self.fire("worker_abort", self.worker)

    def booted(self):
        self.worker.booted = True
        self.fire("post_worker_init", self.worker)

    def serving(self, asgi, greenlets):
        """After everything that the application does before its first request."""
        access_route.begin(self.log, self.cfg, self._switch, asgi, greenlets)

    def interrupted(self):
        self.worker.alive = False
        self.fire("worker_int", self.worker)

    def ending(self):
        self.worker.alive = False
        access_route.end()
        self.fire("worker_exit", self, self.worker)

    def around(self, application, interface):
        """The application with pre_request and post_request around it, when there are such."""
        if not {"pre_request", "post_request"} & set(self.hooks):
            return application
        kind = HookedASGI if interface == "ASGI" else HookedWSGI
        return kind(application, self)


def _hook(name, spec):
    target = find_object(f"hooks: {name}", spec)
    if not callable(target):
        raise AppNotFound(f"hooks: {name}: {spec!r} is {kind(target)}, which is not callable")
    return target
