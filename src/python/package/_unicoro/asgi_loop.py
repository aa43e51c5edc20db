# SPDX-License-Identifier: MIT
"""The Python half of ASGI: the selector under asyncio's loop, how it is driven and ended, lifespan."""

import asyncio
import contextvars
import functools
import selectors
import signal
import sys
import threading
import traceback
from asyncio import events as asyncio_events

from . import compat
from .child import in_child

__all__ = ["Lifespan", "Selector", "drive", "make_loop", "running_loop", "stack"]

# What a task gets to clean up once it was cancelled at the worker's end.
LAST_WORDS = 2.0


def _is_patched(module):
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and monkey.is_module_patched(module.__name__)


def _original(module, name):
    """A name of a module as it was before gevent patched that, where it has."""
    if not _is_patched(module):
        return getattr(module, name)
    return sys.modules["gevent.monkey"].get_original(module.__name__, name)


class Selector(_original(selectors, "EpollSelector")):
    """Waits in the server's loop. `wait(timeout)` is true when the epoll descriptor is readable."""

    def __init__(self):
        super().__init__()
        self.wait = None

    def select(self, timeout=None):
        wait = self.wait
        if wait is None:
            return super().select(timeout)
        return super().select(0) if wait(timeout) else []


def make_loop():
    """asyncio's own loop on such a selector, as the loop of this thread."""
    loop = asyncio.SelectorEventLoop(Selector())
    asyncio.set_event_loop(loop)
    # Else the handler of a signal would wait for something else to happen.
    signal.set_wakeup_fd(loop._csock.fileno(), warn_on_full_buffer=False)
    in_child(functools.partial(compat.leave_loop, loop))
    return loop


def running_loop(loop):
    """Tells asyncio which loop runs in this thread; None while other code has it."""
    asyncio_events._set_running_loop(loop)


def drive(loop, stopped, report):
    """Runs the loop until `stopped()`, whatever callbacks raise, and ends it."""
    while not stopped():
        try:
            loop.run_forever()
        except BaseException as error:
            report("an event loop's callback tried to end the server", error)
    _end(loop, report)


def _end(loop, report):
    """As asyncio.run does it, but not longer than a while."""
    loop._selector.wait = None
    try:
        loop.run_until_complete(_last_words(loop, report))
    except BaseException as error:
        report("the event loop could not be ended in order", error)
    finally:
        signal.set_wakeup_fd(-1)
        asyncio.set_event_loop(None)
        loop.close()


async def _last_words(loop, report):
    left = asyncio.all_tasks(loop) - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        done, deaf = await asyncio.wait(left, timeout=LAST_WORDS)
        for task in done:
            if not task.cancelled() and task.exception() is not None:
                report(f"the task {task.get_name()} failed while it was cancelled", task.exception())
        for task in deaf:
            report(f"the task {task.get_name()} ignores that it was cancelled\n" + stack(task.get_coro()), None)
    await loop.shutdown_asyncgens()
    if _is_patched(threading):
        # Its threads are greenlets, which do not run any more.
        if loop._default_executor is not None:
            loop._default_executor.shutdown(wait=False, cancel_futures=True)
            loop._default_executor = None
        return
    try:
        await asyncio.wait_for(loop.shutdown_default_executor(), LAST_WORDS)
    except asyncio.TimeoutError:
        report("a thread of the default executor does not end", None)


def stack(coroutine):
    """Where a coroutine waits as text, the innermost call last."""
    frames, seen = [], set()
    while coroutine is not None and id(coroutine) not in seen:
        seen.add(id(coroutine))
        for kind in ("cr", "gi", "ag"):
            frame = getattr(coroutine, kind + "_frame", None)
            if frame is not None:
                frames.append((frame, frame.f_lineno))
        following = None
        for name in ("cr_await", "gi_yieldfrom", "ag_await"):
            following = following or getattr(coroutine, name, None)
        coroutine = following
    return "".join(traceback.StackSummary.extract(iter(frames)).format()).rstrip()


class Lifespan:
    """The lifespan protocol of one application.

    `tell(outcome, text)` is called once for the start ("served", "without" or "failed") and once
    for the stop ("stopped"), and for an end between the two ("ended"); `text` is for the log.
    """

    def __init__(self, app, scope, must, tell):
        self._app = app
        self._scope = scope
        self._must = must
        self._tell = tell
        self._phase = "starting"
        self._heard = self._foreign = False
        self._stopping = asyncio.Event()
        self._task = None

    def start(self, loop):
        # Of its own, so that nothing a request sets is seen here or the other way round.
        context = contextvars.Context()
        self._task = context.run(loop.create_task, self._run())

    def stop(self):
        if self._phase == "running" and not self._task.done():
            self._phase = "stopping"
            self._stopping.set()
        else:
            self._tell("stopped", "")

    async def _run(self):
        try:
            await self._app(self._scope, self._receive, self._send)
        except BaseException as error:
            self._ended(error)
            if isinstance(error, asyncio.CancelledError):
                raise
        else:
            self._ended(None)

    async def _receive(self):
        if not self._heard:
            self._heard = True
            return {"type": "lifespan.startup"}
        await self._stopping.wait()
        self._stopping.clear()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message):
        kind = message["type"]
        text = str(message.get("message", ""))
        if kind == "lifespan.startup.complete" and self._phase == "starting":
            self._phase = "running"
            self._tell("served", "")
        elif kind == "lifespan.startup.failed" and self._phase == "starting":
            self._phase = "refused"
            self._tell("failed", text or "the application sent lifespan.startup.failed")
        elif kind == "lifespan.shutdown.complete" and self._phase == "stopping":
            self._phase = "stopped"
            self._tell("stopped", "")
        elif kind == "lifespan.shutdown.failed" and self._phase == "stopping":
            self._phase = "stopped"
            self._tell("stopped", text or "the application sent lifespan.shutdown.failed")
        elif kind.startswith("lifespan."):
            raise RuntimeError(f"the message {kind!r} does not fit a lifespan that is {self._phase}")
        else:
            self._foreign = True
            raise RuntimeError(f"the message {kind!r} does not belong to a lifespan")

    def _ended(self, error):
        phase, self._phase = self._phase, "over"
        if phase == "starting":
            known = self._heard and not self._foreign and error is not None
            if self._must or known:
                text = "the application returned before lifespan.startup.complete"
                self._tell("failed", text if error is None else _trace(error))
            else:
                self._tell("without", "" if error is None else repr(error))
        elif phase == "running" and error is not None:
            self._tell("ended", _trace(error))
        elif phase == "stopping":
            self._tell("stopped", "" if error is None else _trace(error))


def _trace(error):
    return "".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip()
