# SPDX-License-Identifier: MIT
"""The rare watchers of gevent's loop, which are made of others.

Nothing here comes from `os`, whose functions gevent replaces by ones that wait for this loop.
"""

import posix
import signal as _signal
import sys

from _unicoro_gevent import watcher

CHILD, STAT = 0x800, 0x1000


class child(watcher):
    """Fires when a child process ends; with `trace` also when it stops and goes on."""

    def __init__(self, loop, pid, trace=0, ref=True):
        if not loop.default:
            raise TypeError("child watchers are only available on the default loop")
        loop.install_sigchld()
        self.pid, self.trace = pid, bool(trace)
        self.rpid = self.rstatus = 0
        self.ref = ref

    def _begin(self):
        self.loop._children.add(self)

    def _end(self):
        self.loop._children.remove(self)


class Children:
    """The child processes that are watched, by their pid; 0 is all of them."""

    def __init__(self, loop):
        self.loop = loop
        self.watchers = {}
        self.pidfds = {}
        self.sigchld = None

    def add(self, watching):
        pid = watching.pid
        self.watchers.setdefault(pid, []).append(watching)
        if pid > 0 and not watching.trace and self._open(pid):
            return
        if self.sigchld is None:
            self.sigchld = self.loop.signal(_signal.SIGCHLD, ref=False)
            self.sigchld.start(self._on_sigchld)
        # It may have ended before.
        self.loop.run_callback(self._on_sigchld)

    def _open(self, pid):
        if pid in self.pidfds:
            return True
        try:
            fd = posix.pidfd_open(pid)
        except OSError:  # an old kernel; or it is no more, which waitpid will tell
            return False
        ready = self.loop.io(fd, 1, ref=False)
        self.pidfds[pid] = fd, ready
        ready.start(self._reap, pid)
        return True

    def _close(self, pid):
        fd, ready = self.pidfds.pop(pid, (-1, None))
        if ready is not None:
            ready.close()
            posix.close(fd)

    def remove(self, watching):
        same = self.watchers.get(watching.pid, [])
        if watching in same:
            same.remove(watching)
        if not same:
            self.watchers.pop(watching.pid, None)
            self._close(watching.pid)
        if self.sigchld is not None and not self._need_signal():
            self.sigchld.close()
            self.sigchld = None

    def _need_signal(self):
        return any(
            pid == 0 or each.trace or pid not in self.pidfds
            for pid, all_of_it in self.watchers.items() for each in all_of_it
        )

    def _on_sigchld(self):
        for pid in list(self.watchers):
            if pid > 0 and pid not in self.pidfds:
                self._reap(pid)
            elif pid > 0 and any(each.trace for each in self.watchers[pid]):
                self._reap(pid)
        while 0 in self.watchers and self._reap(0):
            pass

    def _reap(self, pid):
        """True when there was something to tell."""
        # Not os.waitpid, which gevent replaces by one that waits for us.
        flags = posix.WNOHANG
        if any(each.trace for each in self.watchers.get(pid, ())):
            flags |= posix.WUNTRACED | posix.WCONTINUED
        try:
            found, status = posix.waitpid(pid or -1, flags)
        except ChildProcessError:
            if pid == 0:
                return False
            # Someone else has asked before. As the standard library does it.
            found, status = pid, 0
        if found == 0:
            return False
        ended = posix.WIFEXITED(status) or posix.WIFSIGNALED(status)
        for each in self.watchers.get(found, []) + self.watchers.get(0, []):
            if ended or each.trace:
                each.rpid, each.rstatus = found, status
                each.feed(CHILD, each.callback, *each.args)
        if ended:
            self._close(found)
        return True


class stat(watcher):
    """Fires when what a path leads to has changed, which it looks at from time to time."""

    # libev's, which gevent's users are used to.
    _USUAL_INTERVAL, _LEAST_INTERVAL = 5.0074891, 0.1074891

    def __init__(self, loop, path, interval=0.0, ref=True, priority=None):
        if not isinstance(path, str):
            raise TypeError(f"path must be a str, not {type(path).__name__}")
        self.path, self.interval = path, interval
        self._paths = path.encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
        self.ref = ref
        if priority is not None:
            self.priority = priority
        self._now = self._before = self._timer = None

    @property
    def attr(self):
        return self._now

    @property
    def prev(self):
        return self._before

    def _look(self):
        try:
            return posix.stat(self._paths)
        except OSError:
            return None

    def _begin(self):
        self._now = self._before = self._look()
        if self.interval:
            self.interval = max(self.interval, self._LEAST_INTERVAL)
        interval = self.interval or self._USUAL_INTERVAL
        self._timer = self.loop.timer(interval, interval, ref=False)
        self._timer.start(self._on_time)

    def _end(self):
        self._timer.close()
        self._timer = None

    def _on_time(self):
        now = self._look()
        if self._essence(now) != self._essence(self._now):
            self._before, self._now = self._now, now
            self.feed(STAT, self.callback, *self.args)

    @staticmethod
    def _essence(found):
        if found is None:
            return None
        return (
            found.st_dev, found.st_ino, found.st_mode, found.st_nlink, found.st_uid, found.st_gid,
            found.st_rdev, found.st_size, found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns,
        )
