# SPDX-License-Identifier: MIT
"""What Python undoes in a process that the application forks (os.fork, multiprocessing). Signals, sockets and
the server's loop are gone when it runs there (os/forks.cpp).
"""

import atexit
import os
import signal
import sys
import threading
import traceback

from . import call_ends, compat
from .child import Child


def watch_forks(functions):
    for name in ("forked_off", "leave", "switch_away", "resume_signals"):
        setattr(Child, name, functions[name])
    os.register_at_fork(
        before=functions["hold_signals"],
        after_in_parent=functions["let_signals"],
        after_in_child=_begin_child,
    )


def _begin_child():
    # A worker has the interpreter of the process that has forked it, and keeps everything.
    if Child.forked_off():
        _undo_all()
    if not Child.resumes_last:
        Child.resume_signals()


def resume_signals_last():
    """From now on a handler that raises does so when all that is registered by now has run in the child."""
    if not Child.resumes_last:
        Child.resumes_last = True
        os.register_at_fork(after_in_child=Child.resume_signals)


def _undo_all():
    for undo in (_undo_signals, compat.undo_asyncio, compat.leave_pool, atexit._clear, *Child.undo):
        try:
            undo()
        except Exception:
            traceback.print_exc()


def _undo_signals():
    signal.set_wakeup_fd(-1)
    if signal.getsignal(signal.SIGABRT) is call_ends.die_of_abort:
        signal.signal(signal.SIGABRT, signal.SIG_DFL)


def end_child(error):
    """What Python does at the end of a process, in a child whose code has come back to the server with
    `error` or without one. Returns the exit code, or None when it should not have come back.
    """
    if isinstance(error, SystemExit):
        code = _exit_code(error.code)
    elif error is None or _blocks_for_ever(error):
        code = _end_of_greenlet(error)
    else:
        traceback.print_exception(type(error), error, error.__traceback__)
        code = 1
    for step in (threading._shutdown, atexit._run_exitfuncs, _flush):
        try:
            step()
        except BaseException:
            traceback.print_exc()
    return code


def _exit_code(given):
    if given is None:
        return 0
    if isinstance(given, int):
        return given & 0xFF
    print(given, file=sys.stderr)
    return 1


def _flush():
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _blocks_for_ever(error):
    return type(error).__name__ == "LoopExit" and type(error).__module__ == "gevent.exceptions"


def _end_of_greenlet(error):
    """The greenlet that forked has ended, or nothing will ever wake it."""
    forker = Child.greenlet
    if forker is None or not forker.dead:
        if error is not None:
            traceback.print_exception(type(error), error, error.__traceback__)
            return 1
        return None
    failure = getattr(forker, "exception", None)
    if hasattr(forker, "_exit_event"):  # eventlet's
        failure = getattr(forker._exit_event, "_exc", None)
    if isinstance(failure, SystemExit):
        return _exit_code(failure.code)
    return 0 if failure is None else 1
