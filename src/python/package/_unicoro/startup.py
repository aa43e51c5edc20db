# SPDX-License-Identifier: MIT
"""What makes an interpreter one of the server."""

import importlib
import os
import signal
import sys

# Imported before the application's folders are in sys.path: an "ast.py" that lies there is not for the server.
EARLY = ("call_ends", "client_socket", "development", "forks", "hubs", "loading", "server", "source_guess", "stacks")

# What is in sys.path because of settings.
placed = []


def begin():
    """Before anything else of the server."""
    # Python's own way to be interrupted would raise in whatever the server is at.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name in EARLY:
        importlib.import_module("." + name, __package__)


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
    _place([os.path.abspath(each) for each in pythonpath] + [os.getcwd()])


def _place(folders):
    if folders == placed:
        return
    for entry in placed + folders:
        if entry in sys.path:
            sys.path.remove(entry)
    sys.path[:0] = placed[:] = folders
