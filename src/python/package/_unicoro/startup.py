# SPDX-License-Identifier: MIT
"""What makes an interpreter one of the server."""

import gc
import importlib
import os
import signal
import sys

from . import program

# Imported before the application's folders are in sys.path: an "ast.py" that lies there is not for the server.
EARLY = ("call_ends", "client_socket", "code_places", "development", "forks", "hubs", "loading", "program", "server",
         "source_guess", "stacks")

# What workers import before they import the application: all, and by what runs the requests. Not ssl for gevent,
# which wants to be there first.
LOGGING = ("logging.config", "logging.handlers")
SHARED = {
    "": LOGGING,
    "asyncio": (*LOGGING, ".asgi_loop"),
    "gevent": (
        *LOGGING,
        *(f"gevent.{each}" for each in ("monkey", "events", "local", "select", "selectors", "signal", "socket")),
        *(f"gevent.{each}" for each in ("subprocess", "thread", "threading", "threadpool", "time")),
        # For what gevent looks up when it patches.
        *("importlib.metadata", "importlib.resources", "email.utils", "tempfile", "_threading_local"),
        # What of ssl is not patched.
        *("_ssl", "base64"),
        ".gevent_loop",
    ),
    "eventlet": (*LOGGING, "eventlet.patcher", "eventlet.hubs.epolls", "eventlet.green.socket"),
}

# What is in sys.path because of settings.
placed = []


def begin():
    """Before anything else of the server."""
    # Python's own way to be interrupted would raise in whatever the server is at.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name in EARLY:
        importlib.import_module("." + name, __package__)


def share(kind):
    """Imports in the master what each of its workers would import, but for the application: they have it by the
    fork, sooner and in common memory. What is missing is for them to tell.
    """
    for name in SHARED[kind]:
        try:
            importlib.import_module(name, __package__)
        except ImportError:
            break
    gc.collect()
    # Whoever looks through all objects writes to each, and a page that is written to is no longer shared.
    gc.freeze()


def loaded():
    """In a worker that knows its application, before the server takes the signals it handles."""
    # For children that the application forks: they get back what was there before.
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def adopt(variables, pythonpath):
    """Brings os.environ to what the process has, and sys.path to what the settings and the folder say."""
    for name in set(os.environb) - set(variables):
        del os.environb[name]
    for name, value in variables.items():
        if os.environb.get(name) != value:
            os.environb[name] = value
    # A program that embeds the server imports from where it does without it.
    here = [] if program.running() else [os.getcwd()]
    _place([os.path.abspath(each) for each in pythonpath] + here)


def _place(folders):
    if folders == placed:
        return
    for entry in placed + folders:
        if entry in sys.path:
            sys.path.remove(entry)
    sys.path[:0] = placed[:] = folders
