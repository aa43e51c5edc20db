# SPDX-License-Identifier: MIT
"""The Python half of gevent's loop on ours: what is asked for rarely.

The types of the C++ half are in the module `_unicoro_gevent`. The functions of the standard library come
from modules that gevent does not patch.
"""

import posix
import signal as _signal
import traceback

import _unicoro_gevent
from _unicoro_gevent import _pass_on_signals, callback, io, loop_base, watcher
from gevent._interfaces import ICallback, ILoop
from gevent.exceptions import HubDestroyed
from zope.interface import classImplements

from . import compat
from .gevent_watchers import Children, child, stat

__all__ = [
    "get_version", "get_header_version", "supported_backends", "recommended_backends",
    "embeddable_backends", "time", "loop",
]

UNDEF, NONE = -1, 0
READ, WRITE, READWRITE = 1, 2, 3
TIMER, PERIODIC, SIGNAL, CHILD, STAT = 0x100, 0x200, 0x400, 0x800, 0x1000
IDLE, PREPARE, CHECK, EMBED, FORK = 0x2000, 0x4000, 0x8000, 0x10000, 0x20000
CLEANUP, ASYNC, CUSTOM, ERROR = 0x40000, 0x80000, 0x1000000, -0x80000000
MINPRI, MAXPRI = -2, 2
BACKEND_EPOLL = 4

_EVENTS = [
    (READ, "READ"), (WRITE, "WRITE"), (0x80, "_IOFDSET"), (PERIODIC, "PERIODIC"),
    (SIGNAL, "SIGNAL"), (CHILD, "CHILD"), (STAT, "STAT"), (IDLE, "IDLE"), (PREPARE, "PREPARE"),
    (CHECK, "CHECK"), (EMBED, "EMBED"), (FORK, "FORK"), (CLEANUP, "CLEANUP"), (ASYNC, "ASYNC"),
    (CUSTOM, "CUSTOM"), (ERROR, "ERROR"),
]

# What libev knows: a flag is accepted, whatever it would change there.
_FLAGS = {
    "epoll": BACKEND_EPOLL, "noenv": 0x1000000, "forkcheck": 0x2000000, "noinotify": 0x100000,
    "signalfd": 0x200000, "nosigmask": 0x400000,
}
_BACKEND_MASK = 0xFFFF


class _EventsType:
    def __repr__(self):
        return "gevent.core.EVENTS"


EVENTS = GEVENT_CORE_EVENTS = _EventsType()


def get_version():
    return "unicoro"


get_header_version = get_version


def supported_backends():
    return ["epoll"]


recommended_backends = embeddable_backends = supported_backends


def time():
    return _time()


def events_to_str(events):
    names = [name for bit, name in _EVENTS if events & bit]
    known = 0
    for bit, _ in _EVENTS:
        known |= bit
    if events & ~known:
        names.append(hex(events & ~known))
    return "|".join(names)


def _check_flags(flags):
    """Raises ValueError when the backend that is asked for is not ours."""
    if not flags:
        return
    if not isinstance(flags, int):
        number = 0
        for name in flags.split(",") if isinstance(flags, str) else flags:
            name = name.strip().lower()
            if name and name not in _FLAGS:
                raise ValueError(
                    f"Invalid backend or flag: {name!r}\n"
                    f"Possible values: {', '.join(sorted(_FLAGS))}"
                )
            number |= _FLAGS.get(name, 0)
        flags = number
    backend = flags & _BACKEND_MASK
    if backend and not backend & BACKEND_EPOLL:
        raise ValueError(f"Unsupported backend: {hex(backend)}")


def describe_watcher(self):
    if self in _being_described:
        return "<...>"
    _being_described.append(self)
    try:
        parts = [f"<{type(self).__name__} at {id(self):#x}"]
        if isinstance(self, io):
            parts.append(f"fd={self.fd} events={self.events_str}")
        elif isinstance(self, child):
            parts.append(f"pid={self.pid!r} rstatus={self.rstatus!r}")
        parts += [state for state in ("active", "pending") if getattr(self, state)]
        if self.callback is not None:
            parts.append(f"callback={self.callback!r}")
        if self.args is not None:
            parts.append(f"args={self.args!r}")
        return " ".join(parts) + ">"
    finally:
        _being_described.pop()


_being_described = []


class loop(loop_base):
    """An event loop: `gevent._interfaces.ILoop`."""

    # Where gevent.core looks for all that belongs to it.
    __module__ = _unicoro_gevent.__name__
    __slots__ = ("_children",)

    approx_timer_resolution = 0.00001
    MINPRI, MAXPRI = MINPRI, MAXPRI
    WatcherType = watcher
    backend, backend_int = "epoll", BACKEND_EPOLL
    origflags, origflags_int = [], 0
    # What Popen.poll() asks: a child may have ended since the loop ran last.
    sig_pending = 1

    def __new__(cls, flags=None, default=None):
        _check_flags(flags)
        self = loop_base.__new__(cls, flags, default)
        if not hasattr(self, "_children"):
            self._children = Children(self)
        return self

    def child(self, pid, trace=0, ref=True):
        return child(self, pid, trace, ref)

    def stat(self, path, interval=0.0, ref=True, priority=None):
        return stat(self, path, interval, ref, priority)

    def begin_child(self, own):
        """In a process that was forked off: forgets all watchers and callbacks but signals, what is to be
        told of forks, and the timers of the greenlets in `own`. Returns what must be kept.
        """
        left, self._children = self._children, Children(self)
        if left.sigchld is not None:
            left.sigchld.close()
        for fd, _ in left.pidfds.values():
            posix.close(fd)
        watchers = [each for some in left.watchers.values() for each in some]
        self._begin_child(own, watchers)
        return left

    def install_sigchld(self):
        """Ends are noticed without the signal, but not when the kernel drops them."""
        if _signal_getsignal(_signal.SIGCHLD) == _signal.SIG_IGN:
            _signal_signal(_signal.SIGCHLD, _signal.SIG_DFL)

    def reset_sigchld(self):
        pass

    def verify(self):
        pass

    def handle_error(self, context, type, value, tb):
        if type is HubDestroyed:
            self.forget_callbacks()
            self.break_()
            return
        handler = self.error_handler
        if handler is None:
            # gevent's hub is not there: someone uses the loop by itself.
            traceback.print_exception(type, value, tb)
            self.break_()
        else:
            getattr(handler, "handle_error", handler)(context, type, value, tb)

    def _format(self):
        if not self.ptr:
            return "destroyed"
        default = " default" if self.default else ""
        return f"{self.backend}{default} pending={self.pendingcnt}{self._format_details()}"

    def _format_details(self):
        return f" ref={self.activecnt} fileno={self.fileno()}"

    def __repr__(self):
        return f"<{type(self).__name__} at {id(self):#x} {self._format()}>"


def watch_python_signals(fd):
    """Wakes by writing to `fd`; -1: does so no more."""
    compat.share_wakeup_fd(fd, _pass_on_signals)


def begin_child(loop, own):
    """In a process that was forked off. Returns what must be kept."""
    compat.forget_wakeup_fd()
    return loop.begin_child(own) if loop is not None and loop.ptr else None


def choose_for_gevent():
    """Makes this gevent's loop. Before its hub is there."""
    from gevent import config

    config.loop = loop


def _original(module, name):
    """A function as it was before gevent replaced it."""
    from gevent.monkey import get_original

    return get_original(module, name)


_time = _original("time", "time")
_signal_signal = _original("signal", "signal")
_signal_getsignal = _original("signal", "getsignal")

classImplements(loop, ILoop)
classImplements(callback, ICallback)
vars(_unicoro_gevent).update(
    {name: value for name, value in globals().items() if not name.startswith("_")}, __all__=__all__
)
