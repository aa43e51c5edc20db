# SPDX-License-Identifier: MIT
"""Exceptions and stacks as text, for the error log."""

import faulthandler
import importlib
import signal
import sys
import traceback

from .embedded import is_ours


def tell_stacks(crash_fd):
    """The master ends a worker that hangs by SIGABRT: then its stack goes to the error log."""
    tell_stacks.again = lambda: tell_stacks(crash_fd)
    faulthandler.disable()
    faulthandler.enable(file=crash_fd, all_threads=True)


def tell_stacks_again():
    tell_stacks.again()


def tell_stacks_when_asked(log_fd):
    """USR2 writes the stacks of all threads to the error log, even while one of them holds the loop. The loop tells
    of its requests when it gets its turn."""
    faulthandler.register(signal.SIGUSR2, file=log_fd, all_threads=True, chain=True)


def describe(error):
    """The traceback of an exception as text, without what leads from the server to the application."""
    trace, last = error.__traceback__, None
    while trace is not None and _leads_there(trace.tb_frame.f_code.co_filename):
        trace, last = trace.tb_next, trace
    if trace is None and last is not None and is_ours(last.tb_frame.f_code.co_filename):
        trace = error.__traceback__  # it is the server's own
    return "".join(traceback.format_exception(type(error), error, trace)).rstrip()


def _leads_there(file):
    return is_ours(file) or file.startswith("<frozen importlib") or file == importlib.__file__


def stack(frame):
    """The calls that led to a frame as text, the innermost last."""
    return "" if frame is None else "".join(traceback.format_stack(frame)).rstrip()


def thread_stack(ident):
    """The stack of a thread as text; empty when it has ended."""
    return stack(sys._current_frames().get(ident))
