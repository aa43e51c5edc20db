# SPDX-License-Identifier: MIT
# Appended to bootstrap.py: what Python undoes in a process that the application forks (os.fork,
# multiprocessing). Signals, sockets and the server's loop are gone when it runs there (os/forks.cpp).

import atexit as _atexit
import signal as _signal
import weakref as _weakref


class _Child:
    # Of the plugin (forked_child.cpp).
    forked_off = leave = switch_away = resume_signals = None
    resumes_last = False
    # What more is undone, in this order.
    undo = []
    # What belongs to greenlets and tasks that are left behind. To let go of it would run their code.
    kept = []
    # Greenlets that were switched to all the same, with whoever did it last.
    held = {}
    # The code of functions that trace switches of greenlets.
    tracers = set()
    # The greenlet that forked, all that may run, and what else traces them.
    greenlet = None
    known = ()
    traces_too = None


def watch_forks(functions):
    for name in ("forked_off", "leave", "switch_away", "resume_signals"):
        setattr(_Child, name, functions[name])
    os.register_at_fork(
        before=functions["hold_signals"],
        after_in_parent=functions["let_signals"],
        after_in_child=_begin_child,
    )


def in_child(undo):
    """Has `undo` called in every child that the application forks."""
    _Child.undo.append(undo)


def _begin_child():
    # A worker has the interpreter of a master that preloads, and keeps everything.
    if _Child.forked_off():
        _undo_all()
    if not _Child.resumes_last:
        _Child.resume_signals()


def resume_signals_last():
    """From now on a handler that raises does so when all that is registered by now has run in the child."""
    if not _Child.resumes_last:
        _Child.resumes_last = True
        os.register_at_fork(after_in_child=_Child.resume_signals)


def _undo_all():
    for undo in (_undo_signals, _undo_asyncio, _leave_pool, _atexit._clear, *_Child.undo):
        try:
            undo()
        except Exception:
            traceback.print_exc()


def _undo_signals():
    _signal.set_wakeup_fd(-1)
    hook = getattr(_signal.getsignal(_signal.SIGABRT), "__func__", None)
    if hook is Server._on_abort:
        _signal.signal(_signal.SIGABRT, _signal.SIG_DFL)


def _undo_asyncio():
    """As asyncio does it itself from Python 3.12 on."""
    events = sys.modules.get("asyncio.events")
    if events is None:
        return
    events._set_running_loop(None)
    policy = getattr(events, "_event_loop_policy", None)
    if hasattr(policy, "_local"):
        policy._local = type(policy)._Local()


def _leave_pool():
    """A thread of a pool that has forked is the child's only one, which cannot wait for itself at its end."""
    pools = sys.modules.get("concurrent.futures.thread")
    if pools is not None:
        pools._threads_queues.pop(threading.current_thread(), None)


def leave_loop(loop):
    """The child has a copy of the server's event loop, perhaps in the middle of a turn: it is closed, and
    ends a child that comes back to it.
    """
    _Child.kept += loop._ready, loop._scheduled, dict(loop._selector._fd_to_key)
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
        _Child.leave(None)


def _come_back(*_):
    _Child.leave(None)


def _end_work(callback, *args, context=None):
    """What a thread calls to tell its result: of asyncio.to_thread, and of anyio.to_thread, where Starlette
    and FastAPI run functions.
    """
    place = getattr(callback, "__module__", None), getattr(callback, "__qualname__", None)
    if place == ("asyncio.futures", "_chain_future.<locals>._set_state"):
        _Child.leave(args[1].exception())
    elif place == ("anyio._backends._asyncio", "WorkerThread._report_result"):
        _Child.leave(args[-1])
    raise RuntimeError("Event loop is closed")


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
    for step in (threading._shutdown, _atexit._run_exitfuncs, _flush):
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
    forker = _Child.greenlet
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


# Greenlets. The child has copies of all that waited, and in it only the one that has forked goes on.


def _lineage(current):
    """A greenlet, and those that go on when it ends: the last one is the thread's own."""
    family = [current]
    while family[-1].parent is not None:
        family.append(family[-1].parent)
    return family


def _hold_back_others(goes_on):
    """From now on no greenlet runs but those and the ones that begin later.

    All ways to wake a greenlet lead through a switch to it: by callbacks of the loop, by locks and queues
    that it waits for, by the end of the last reference to it. What traces switches is called in the
    greenlet that is switched to before that goes on, and may switch back.
    """
    import greenlet

    known = _Child.known = _weakref.WeakSet(goes_on)

    def trace(event, switch):
        origin, target = switch
        if target not in known:
            if _has_begun():
                _hold(target, origin)
                return
            known.add(target)
        if _Child.traces_too is not None:
            _Child.traces_too(event, switch)

    _Child.tracers.add(trace.__code__)
    before = greenlet.settrace(trace)
    # It is the same in a child of a child.
    if getattr(before, "__code__", None) is not trace.__code__:
        _Child.traces_too = before


def _has_begun():
    """Is there anything below what traces the switch to this greenlet?"""
    frame = sys._getframe(1).f_back
    while frame is not None and frame.f_code in _Child.tracers:
        frame = frame.f_back
    return frame is not None


def _hold(target, origin):
    if target in _Child.held:
        # It is in the loop below, which this switch has woken.
        _Child.held[target] = origin
        return
    _Child.held[target] = origin
    while True:
        back = _Child.held[target]
        try:
            _Child.switch_away(back if not back.dead else _lineage(back)[-1])
        except BaseException:
            # Thrown into it: it is not here to be told.
            continue


def alone_with_gevent():
    """Prepares for children of this process. Once gevent has its hub."""
    import greenlet
    from gevent import os as gevent_os
    from gevent._hub_local import get_hub_if_exists

    loops = sys.modules["_unicoro_gevent"]

    def be_alone():
        hub = get_hub_if_exists()
        family = _lineage(greenlet.getcurrent())
        _Child.greenlet = family[0]
        own = [each for each in family[:-1] if each is not hub] or family[:1]
        _Child.kept.append(loops.begin_child(hub.loop if hub is not None else None, own))
        watched = getattr(gevent_os, "_watched_children", {})
        _Child.kept.append(dict(watched))
        watched.clear()
        _hold_back_others(family if hub is None else [*family, hub])

    in_child(be_alone)


def alone_with_eventlet():
    """The same for eventlet, whose hub cannot tell that a process is another one."""
    import greenlet
    from eventlet import hubs, queue, semaphore

    def be_alone():
        hub = hubs.get_hub()
        family = _lineage(greenlet.getcurrent())
        _Child.greenlet = family[0]
        own = [each for each in family[:-1] if each is not hub.greenlet] or family[:1]
        _Child.kept.append(_new_eventlet_hub(hub, own, greenlet.greenlet))
        _forget_threads()
        _hold_back_others([*family, hub.greenlet])
        # These wake one of those that wait, and hand it what the others wait for, too.
        queue.Waiter.__bool__ = _waits_here
        semaphore.Semaphore._do_acquire = _wake_one_here

    in_child(be_alone)


def _new_eventlet_hub(hub, own, kind):
    """Parts from the parent's descriptors and from what greenlets but `own` wait for; returns what was left."""
    left = hub.listeners, hub.secondaries, [*hub.closed], sorted([*hub.timers, *hub.next_timers], key=_when)

    def stays(timer):
        receiver = getattr(getattr(timer, "tpl", (None,))[0], "__self__", None)
        if isinstance(receiver, kind):
            return any(receiver is each for each in own)
        # Queues and locks of eventlet's own, which remember that they have asked for it.
        return type(receiver).__module__.startswith("eventlet.")

    hub.poll.close()
    hub.poll = type(hub.poll)()
    hub.listeners, hub.secondaries = ({hub.READ: {}, hub.WRITE: {}} for _ in range(2))
    # In place: the hub may be in the midst of them.
    del hub.closed[:], hub.next_timers[:]
    hub.timers[:] = [each for each in left[-1] if stays(each[1])]
    hub.timers_canceled = 0
    return left


def _when(timer):
    return timer[0]


def _waits_here(waiter):
    return waiter.greenlet is not None and not _is_left_behind(waiter.greenlet)


def _wake_one_here(semaphore):
    while semaphore._waiters and semaphore.counter > 0:
        waiter = semaphore._waiters.popleft()
        if not _is_left_behind(waiter):
            waiter.switch()
            return


def _is_left_behind(greenlet):
    return greenlet not in _Child.known and greenlet.gr_frame is not None


def _forget_threads():
    """eventlet takes away what threading does after a fork, because its threads go on there. Here none do."""
    own = threading.current_thread()
    ident = threading.get_ident()
    _Child.kept += dict(threading._active), set(threading._dangling)
    for each in list(threading._active.values()):
        if each is not own and hasattr(each, "_is_stopped"):
            each._is_stopped = True
    threading._active.clear()
    threading._active[ident] = own
    threading._limbo.clear()
    if hasattr(threading, "_shutdown_locks"):
        threading._shutdown_locks.clear()
