# SPDX-License-Identifier: MIT
"""Greenlets in a process that the application forks. It has copies of all that waited, and in it only the one
that has forked goes on.
"""

import sys
import weakref

from . import compat
from .child import Child, in_child


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

    known = Child.known = weakref.WeakSet(goes_on)

    def trace(event, switch):
        origin, target = switch
        if target not in known:
            if _has_begun():
                _hold(target, origin)
                return
            known.add(target)
        if Child.traces_too is not None:
            Child.traces_too(event, switch)

    Child.tracers.add(trace.__code__)
    before = greenlet.settrace(trace)
    # It is the same in a child of a child.
    if getattr(before, "__code__", None) is not trace.__code__:
        Child.traces_too = before


def _has_begun():
    """Is there anything below what traces the switch to this greenlet?"""
    frame = sys._getframe(1).f_back
    while frame is not None and frame.f_code in Child.tracers:
        frame = frame.f_back
    return frame is not None


def _hold(target, origin):
    if target in Child.held:
        # It is in the loop below, which this switch has woken.
        Child.held[target] = origin
        return
    Child.held[target] = origin
    while True:
        back = Child.held[target]
        try:
            Child.switch_away(back if not back.dead else _lineage(back)[-1])
        except BaseException:
            # Thrown into it: it is not here to be told.
            continue


def alone_with_gevent():
    """Prepares for children of this process. Once gevent has its hub."""
    import greenlet
    from gevent._hub_local import get_hub_if_exists

    from . import gevent_loop

    def be_alone():
        hub = get_hub_if_exists()
        family = _lineage(greenlet.getcurrent())
        Child.greenlet = family[0]
        own = [each for each in family[:-1] if each is not hub] or family[:1]
        Child.kept.append(gevent_loop.begin_child(hub.loop if hub is not None else None, own))
        Child.kept.append(compat.forget_gevents_children())
        _hold_back_others(family if hub is None else [*family, hub])

    in_child(be_alone)


def alone_with_eventlet():
    """The same for eventlet, whose hub cannot tell that a process is another one."""
    import greenlet
    from eventlet import hubs

    def be_alone():
        hub = hubs.get_hub()
        family = _lineage(greenlet.getcurrent())
        Child.greenlet = family[0]
        own = [each for each in family[:-1] if each is not hub.greenlet] or family[:1]
        Child.kept.append(_new_eventlet_hub(hub, own, greenlet.greenlet))
        compat.forget_threads()
        _hold_back_others([*family, hub.greenlet])
        compat.wake_only(_is_left_behind)

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


def _is_left_behind(greenlet):
    return greenlet not in Child.known and greenlet.gr_frame is not None
