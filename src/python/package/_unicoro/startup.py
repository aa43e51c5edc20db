# SPDX-License-Identifier: MIT
"""What happens first in an interpreter of the server."""

import importlib
import os
import sys

from . import stacks

# Imported before the application's folders are in sys.path: an "ast.py" that lies there is not for the server.
EARLY = ("call_ends", "client_socket", "development", "forks", "hubs", "loading", "server", "source_guess")


def prepare(pythonpath, crash_fd):
    """Sets up what an application may expect of its interpreter."""
    for name in EARLY:
        importlib.import_module("." + name, __package__)
    sys.path.insert(0, os.getcwd())
    for entry in reversed([os.path.abspath(each) for each in pythonpath]):
        if entry in sys.path:
            sys.path.remove(entry)
        sys.path.insert(0, entry)
    stacks.tell_stacks(crash_fd)
