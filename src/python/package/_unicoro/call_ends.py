# SPDX-License-Identifier: MIT
"""How calls of an application are ended from outside, and the threads that run them."""

import atexit
import faulthandler
import os
import signal
import sys
import threading
import time
import traceback

from . import CallEnded, RequestCancelled


def tell_abort():
    """Runs the hook worker_abort, once."""
    hook, tell_abort.hook = tell_abort.hook, None
    if hook is not None:
        hook()


tell_abort.hook = None


def die_of_abort(*_):
    try:
        tell_abort()
    finally:
        signal.signal(signal.SIGABRT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGABRT)


def obey_end(verdict):
    """The signals that end a worker find the code that holds it. What one means is asked for here."""

    def on_signal(*_):
        number, what = verdict()
        beside = what == "die" and _in_greenlet_of_a_request()
        if what == "die" and not beside:
            die_of_abort()
        try:
            if number == signal.SIGABRT:
                tell_abort()
        finally:
            if beside:
                raise RequestCancelled
            if what == "raise":
                raise CallEnded

    faulthandler.disable()
    signal.signal(signal.SIGABRT, on_signal)


def _in_greenlet_of_a_request():
    """One that holds up all others. What it raises ends it alone, and neither the hub nor asyncio."""
    greenlet = sys.modules.get("greenlet")
    parent = greenlet and greenlet.getcurrent().parent
    return parent is not None and parent.parent is not None


def start_thread(target, number):
    # A daemon: one that hangs in the application must not hold up the end of its worker.
    thread = threading.Thread(target=target, name=f"unicoro-{number}", daemon=True)
    thread.start()
    return thread


def join_threads(threads, seconds):
    """Waits for their end; False when one goes on."""
    deadline = time.monotonic() + seconds
    for each in threads:
        each.join(max(0, deadline - time.monotonic()))
    return not any(each.is_alive() for each in threads)


def take_a_step():
    """What was raised in this thread from another one comes out before the first line of any code."""


def end_beside_threads():
    """What of the end of Python concerns the application, where threads in it go on: they need the rest."""
    here = threading.current_thread()
    # Python would wait for these without limit, and it is late.
    join_threads([each for each in threading.enumerate() if each is not here and not each.daemon], 0.3)
    for step in (atexit._run_exitfuncs, sys.stdout.flush, sys.stderr.flush):
        try:
            step()
        except BaseException:
            traceback.print_exc()
