# SPDX-License-Identifier: MIT
"""Every change that the server makes to CPython's standard library, gevent, greenlet, eventlet and asyncio, and
what it relies on in them that they do not promise. No other module does (tests/lint/python_names.py).

Each says why it is there, and until which version it is needed. "open" is said of what no release of today does
by itself: CPython 3.14, gevent 26.9, greenlet 3.5, eventlet 0.41.
"""

import atexit
import functools
import logging
import os
import re
import sys
import threading
from importlib.machinery import PathFinder

from .child import Child, in_child

# --- greenlets that carry one request after another


# From the first version to before the last: with these tests/gevent/test_slate.py has passed, each with each that
# there is for it (3.9.18 to 3.13.0; 2.0.2, 3.0.3, 3.1.1, 3.2.4, 3.3.0, 3.4.0, 3.5.6).
TRIED_PYTHONS = ((3, 9), (3, 14))
TRIED_GREENLETS = ((2, 0), (3, 6))


def untried_for_carriers(python=None, greenlet=None):
    """Why no greenlet may carry a second request, as a line for the log; "" where it may.

    Whether a request has left something on its greenlet is read in the insides of both (greenlet_slate.cpp):
    the context of a thread's state, counts of references, where a greenlet keeps its attributes. A release that
    changes what these mean would hand one request's state to the next one.
    Until: open. The range here follows the test.
    """
    if greenlet is None:
        import greenlet as package

        greenlet = getattr(package, "__version__", "")
    found = (
        ("CPython", tuple((python or sys.version_info)[:2]), TRIED_PYTHONS),
        ("greenlet", _numbers(greenlet)[:2], TRIED_GREENLETS),
    )
    for name, version, (first, end) in found:
        if not first <= version < end:
            written = ".".join(map(str, version)) or repr(greenlet)
            return f"each request has a greenlet of its own: sharing them was not tried with {name} {written}"
    return ""


def _numbers(version):
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, match.group().split("."))) if match else ()


# --- debuggers


def tell_debugger_of_fork(in_child):
    """pydevd (debugpy, PyCharm) begins anew in a child by what it puts in the place of os.fork, and the master forks
    without that: breakpoints would be missed in the workers.
    Until: open (pydevd would have to use os.register_at_fork).
    """
    patches = sys.modules.get("_pydev_bundle.pydev_monkey")
    if patches is None:
        return
    if in_child:
        patches._on_forked_process(setup_tracing=patches._get_apply_arg_patching())
    else:
        patches.send_process_created_message()


# --- asyncio, where greenlets run


def patch_asyncio_for_greenlets():
    _when_imported("asyncio.events", give_each_greenlet_its_loop)


def patch_asyncio_for_gevent():
    patch_asyncio_for_greenlets()
    _when_imported("asyncio.unix_events", tell_asyncio_of_collected_children)


def let_older_threads_end():
    """A thread that was started before gevent patches `threading` (agents start theirs right after the fork) is
    known there by a number that it does not find itself by any more: its end would print a KeyError.
    Until: open (gevent does this for the main thread).
    """
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread._delete = functools.partial(_forget_thread, thread)


def _forget_thread(thread):
    with threading._active_limbo_lock:
        threading._active.pop(thread._ident, None)


def let_handlers_go_last(monkey):
    """gevent gives logging a lock written in Python, and a handler that is freed late meets what is left of that.
    Until: open (gevent would have to keep what its get_ident() calls).
    """
    lock = monkey.get_original("_thread", "RLock")
    atexit.register(lambda: setattr(logging, "_lock", lock()))


def _when_imported(name, follow):
    if name in sys.modules:
        follow(sys.modules[name])
        return
    _Imports.awaited[name] = follow
    if _Imports not in sys.meta_path:
        sys.meta_path.insert(0, _Imports)


class _Imports:
    """Waits for modules of asyncio, whose import would be felt at the start of every worker."""

    awaited = {}

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        follow = cls.awaited.pop(name, None)
        if follow is None:
            return None
        if not cls.awaited:
            sys.meta_path.remove(cls)
        spec = PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module

        def execute_and_follow(module):
            execute(module)
            follow(module)

        spec.loader.exec_module = execute_and_follow
        return spec


def tell_asyncio_of_collected_children(unix_events):
    """gevent collects a child that has ended at once, often before subprocess.Popen() returns, and keeps
    its status for os.waitpid(). asyncio opens a pidfd between the two (from Python 3.12 on), and the
    kernel knows the child no more.
    Until: open (gevent would have to leave the child alone).
    """
    # Its name has an underscore from Python 3.14 on.
    watcher = getattr(unix_events, "PidfdChildWatcher", None) or unix_events._PidfdChildWatcher
    add = watcher.add_child_handler
    if hasattr(add, "_unicoro_original"):
        return

    @functools.wraps(add)
    def add_child_handler(self, pid, callback, *args):
        try:
            add(self, pid, callback, *args)
        except ProcessLookupError as no_child:
            loop = unix_events.events.get_running_loop()
            try:
                collected, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                raise no_child from None
            if collected == pid:
                loop.call_soon(callback, pid, os.waitstatus_to_exitcode(status), *args)
            else:  # it is collected, but gevent's own callback is still to come
                loop.call_later(0.001, add_child_handler, self, pid, callback, *args)

    add_child_handler._unicoro_original = add
    watcher.add_child_handler = add_child_handler


def give_each_greenlet_its_loop(events):
    """asyncio knows one running loop for each thread, which all greenlets share: asyncio.run() in two of
    them at once would be refused, and what they do would seem to run in each other's loop. From the first
    running loop on, each greenlet has its own.
    Until: open (asyncio would have to keep the running loop in the context).
    """
    import weakref

    import greenlet

    if getattr(events, "_unicoro_original", None) is not None:
        return
    get, set_ = events._get_running_loop, events._set_running_loop
    loops = weakref.WeakKeyDictionary()
    tracing = []

    def trace(event, switch):
        origin, target = switch
        running = get()
        if running is not None:
            loops[origin] = running
        elif loops:
            loops.pop(origin, None)
        wanted = loops.get(target)
        if wanted is not running:
            set_(wanted)
        if tracing[0] is not None:
            tracing[0](event, switch)

    def set_running_loop(loop):
        if loop is not None and not tracing:
            tracing.append(None)
            tracing[0] = greenlet.settrace(trace)
        set_(loop)
        # As long as it is here, the greenlet is not taken for another request.
        if loop is None:
            loops.pop(greenlet.getcurrent(), None)
        else:
            loops[greenlet.getcurrent()] = loop

    def forget():
        Child.kept.append(dict(loops))
        loops.clear()

    Child.tracers.add(trace.__code__)
    in_child(forget)
    events._unicoro_original = set_
    events._set_running_loop = set_running_loop


# --- the wake-up descriptor of Python's signals


class _Wakeup:
    ours = applications = -1
    original = pass_on = None

    @classmethod
    def set(cls, fd, /, *, warn_on_full_buffer=True):
        before = cls.original(fd, warn_on_full_buffer=warn_on_full_buffer)
        if cls.ours >= 0:
            before, cls.applications = cls.applications, fd
            cls.original(cls.ours, warn_on_full_buffer=False)
            cls.pass_on(fd)
        return before


def share_wakeup_fd(fd, pass_on):
    """Handlers of signals are to wake gevent's loop: Python writes to `fd` (-1: no more). There is room for one
    descriptor only. An application that sets one of its own (asyncio does) does not notice: `pass_on` is told
    where the bytes of ours go on to.
    Until: open (CPython would have to know more than one).
    """
    import signal

    if _Wakeup.original is None:
        _Wakeup.original, _Wakeup.pass_on = signal.set_wakeup_fd, pass_on
    try:
        if fd < 0:
            _Wakeup.original(_Wakeup.applications)
        else:
            before = _Wakeup.original(fd, warn_on_full_buffer=False)
            if before != _Wakeup.ours:
                _Wakeup.applications = before
    except (ValueError, OSError):
        # Not Python's main thread after all, or the application has closed its descriptor.
        return
    _Wakeup.ours = fd
    pass_on(_Wakeup.applications)
    functools.update_wrapper(_set_wakeup_fd, _Wakeup.original)
    signal.set_wakeup_fd = _set_wakeup_fd


def _set_wakeup_fd(*args, **named):
    return _Wakeup.set(*args, **named)


def forget_wakeup_fd():
    """The same in a child that the application has forked."""
    if _Wakeup.original is None:
        return
    _Wakeup.ours = _Wakeup.applications = -1
    _Wakeup.original(-1)
    _Wakeup.pass_on(-1)


# --- Python's logging


def open_no_log_files():
    """--check-config runs what sets up logging. It must not leave log files, which would be of another user's
    than the server's.
    Until: open (logging knows no dry run).
    """
    logging.FileHandler._open = lambda handler: open(os.devnull, handler.mode)


# --- in a child that the application forks


def undo_asyncio():
    """No loop runs in the child.
    Until: CPython 3.12, whose asyncio does it itself.
    """
    events = sys.modules.get("asyncio.events")
    if events is None:
        return
    events._set_running_loop(None)
    policy = getattr(events, "_event_loop_policy", None)
    if hasattr(policy, "_local"):
        policy._local = type(policy)._Local()


def leave_pool():
    """A thread of a pool that has forked is the child's only one, which cannot wait for itself at its end.
    Until: open.
    """
    pools = sys.modules.get("concurrent.futures.thread")
    if pools is not None:
        pools._threads_queues.pop(threading.current_thread(), None)


def leave_loop(loop):
    """The child has a copy of the server's event loop, perhaps in the middle of a turn: it is closed, and
    ends a child that comes back to it.
    Until: open (asyncio has no way to leave a loop that runs).
    """
    Child.kept += loop._ready, loop._scheduled, dict(loop._selector._fd_to_key)
    loop._selector.wait = _come_back
    loop._ready = _NoTurn()
    loop._scheduled = []
    loop._selector.close()
    loop._ssock.close()
    loop._csock.close()
    loop._closed = True
    # Else threads that work for it would not say that they are done, and wait for more.
    loop.is_closed = lambda: False
    loop.call_soon_threadsafe = _end_work


class _NoTurn:
    def __len__(self):
        return 1

    def popleft(self):
        Child.leave(None)


def _come_back(*_):
    Child.leave(None)


def _end_work(callback, *args, context=None):
    """What a thread calls to tell its result: of asyncio.to_thread, and of anyio.to_thread, where Starlette
    and FastAPI run functions.
    """
    place = getattr(callback, "__module__", None), getattr(callback, "__qualname__", None)
    if place == ("asyncio.futures", "_chain_future.<locals>._set_state"):
        Child.leave(args[1].exception())
    elif place == ("anyio._backends._asyncio", "WorkerThread._report_result"):
        Child.leave(args[-1])
    raise RuntimeError("Event loop is closed")


def forget_gevents_children():
    """They are the parent's, and gevent would wait for them here. Returns what must be kept.
    Until: open (gevent forgets them in what its own fork makes).
    """
    from gevent import os as gevent_os

    watched = getattr(gevent_os, "_watched_children", {})
    kept = dict(watched)
    watched.clear()
    return kept


def wake_only(is_left_behind):
    """A queue and a lock of eventlet wake one of those that wait, and hand it what the others wait for, too. The
    greenlets of the parent never take it.
    Until: open.
    """
    from eventlet import queue, semaphore

    def acquire_next(self):
        while self._waiters and self.counter > 0:
            waiter = self._waiters.popleft()
            if not is_left_behind(waiter):
                waiter.switch()
                return

    queue.Waiter.__bool__ = lambda self: self.greenlet is not None and not is_left_behind(self.greenlet)
    semaphore.Semaphore._do_acquire = acquire_next


def forget_threads():
    """eventlet takes away what threading does after a fork, because its threads go on there. Here none do.
    Until: open.
    """
    own = threading.current_thread()
    ident = threading.get_ident()
    Child.kept += dict(threading._active), set(threading._dangling)
    for each in list(threading._active.values()):
        if each is not own and hasattr(each, "_is_stopped"):
            each._is_stopped = True
    threading._active.clear()
    threading._active[ident] = own
    threading._limbo.clear()
    if hasattr(threading, "_shutdown_locks"):
        threading._shutdown_locks.clear()
