# SPDX-License-Identifier: MIT
"""The Python half of the plugin: compiled into it and run once, when the interpreter has started.

Nothing here runs while a request is served, except `describe` for one that failed.
"""

import ast
import atexit
import faulthandler
import functools
import importlib
import inspect
import os
import re
import signal
import sys
import threading
import time
import traceback
from importlib.machinery import PathFinder

__all__ = [
    "AppNotFound", "CallEnded", "RequestCancelled", "describe", "end_beside_threads", "eventlet_hub",
    "gevent_hub", "join_threads", "load", "obey_end", "patch_gevent", "prepare", "stack", "start_thread",
    "take_a_step", "tell_abort", "tell_stacks_again", "thread_stack",
]


class AppNotFound(Exception):
    """The application specification does not lead to an application."""


class RequestCancelled(BaseException):
    """Raised in the code of a request that ran out of time (request_timeout) or whose worker ends.

    As with GeneratorExit, code that cleans up may catch it and should let it pass.
    """

    def __init__(self):
        super().__init__("the server ended this request: its time has passed, or the worker ends")


class CallEnded(RequestCancelled, SystemExit):
    """The same in code that holds its worker (-k sync), which ends by it. gunicorn raises SystemExit there."""


def prepare(pythonpath, crash_fd):
    """Sets up what an application may expect of its interpreter."""
    sys.path.insert(0, os.getcwd())
    for entry in reversed([os.path.abspath(each) for each in pythonpath]):
        if entry in sys.path:
            sys.path.remove(entry)
        sys.path.insert(0, entry)
    tell_stacks(crash_fd)


def tell_stacks(crash_fd):
    """The master ends a worker that hangs by SIGABRT: then its stack goes to the error log."""
    tell_stacks.again = lambda: tell_stacks(crash_fd)
    faulthandler.disable()
    faulthandler.enable(file=crash_fd, all_threads=True)


def tell_stacks_again():
    tell_stacks.again()


def describe(error):
    """The traceback of an exception as text, without what leads from the server to the application."""
    trace, last = error.__traceback__, None
    while trace is not None and _leads_there(trace.tb_frame.f_code.co_filename):
        trace, last = trace.tb_next, trace
    if trace is None and last is not None and last.tb_frame.f_code.co_filename.startswith("<unicoro "):
        trace = error.__traceback__  # it is the server's own
    return "".join(traceback.format_exception(type(error), error, trace)).rstrip()


def _leads_there(file):
    return file.startswith(("<unicoro ", "<frozen importlib")) or file == importlib.__file__


def which_python(error):
    """After an import that failed: the interpreter, which may be another than was meant."""
    while error is not None and not isinstance(error, ImportError):
        error = error.__cause__ or error.__context__
    if error is None:
        return ""
    release = ".".join(map(str, sys.version_info[:3]))
    return (f"Python: {sys.executable} ({release}); --python names another interpreter or the folder of a "
            "virtual environment.")


def stack(frame):
    """The calls that led to a frame as text, the innermost last."""
    return "" if frame is None else "".join(traceback.format_stack(frame)).rstrip()


def thread_stack(ident):
    """The stack of a thread as text; empty when it has ended."""
    return stack(sys._current_frames().get(ident))


def patch_gevent():
    """Makes the standard library cooperative, before anything of the application is imported."""
    from gevent import monkey
    from gevent._hub_local import get_hub_if_exists

    monkey.patch_all()
    hub = get_hub_if_exists()
    if hub is not None:  # of a settings file that waited for something; it is not on the server's loop
        hub.destroy(destroy_loop=True)
    _when_imported("asyncio.events", _give_each_greenlet_its_loop)
    _when_imported("asyncio.unix_events", _tell_asyncio_of_collected_children)


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


def _tell_asyncio_of_collected_children(unix_events):
    """gevent collects a child that has ended at once, often before subprocess.Popen() returns, and keeps
    its status for os.waitpid(). asyncio opens a pidfd between the two (from Python 3.12 on), and the
    kernel knows the child no more.
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


def _give_each_greenlet_its_loop(events):
    """asyncio knows one running loop for each thread, which all greenlets share: asyncio.run() in two of
    them at once would be refused, and what they do would seem to run in each other's loop. From the first
    running loop on, each greenlet has its own.
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
        _Child.kept.append(dict(loops))
        loops.clear()

    _Child.tracers.add(trace.__code__)
    in_child(forget)
    events._unicoro_original = set_
    events._set_running_loop = set_running_loop


def gevent_hub():
    from gevent import get_hub

    hub = get_hub()
    alone_with_gevent()
    return hub


def eventlet_hub(server_wait):
    """Makes the standard library cooperative and eventlet wait where the server does."""
    import eventlet
    from eventlet import hubs
    from eventlet.hubs import epolls

    class Hub(epolls.Hub):
        def wait(self, seconds=None):
            if _Child.forked_off():
                if not (self.timers or self.next_timers or any(self.listeners.values())):
                    _Child.leave(None)
                super().wait(seconds)
            elif server_wait(self.default_sleep() if seconds is None else seconds):
                super().wait(0)

    hubs.use_hub(Hub)
    eventlet.monkey_patch()
    _when_imported("asyncio.events", _give_each_greenlet_its_loop)
    alone_with_eventlet()
    return hubs.get_hub()


def load(spec, interface):
    """The application that `module[:attribute | :factory(arguments)]` names, and "WSGI" or "ASGI".

    `interface` is "auto", or what the application is said to be.
    """
    name, colon, expression = spec.partition(":")
    if not name:
        raise AppNotFound(f"{spec!r} does not begin with the name of a module; write module:attribute")
    if _names_a_file(name) and not _is_module(name):
        _explain_file(name, expression or None)
    if colon and not expression:
        raise AppNotFound(f"{spec!r} names nothing after the ':'; write module:attribute")
    expression = expression or "application"
    path, arguments = _parse(expression)
    module = _import(name)
    target = _find(module, name, path)
    if arguments is not None:
        target = _call(target, expression, *arguments)
        if target is None:
            raise AppNotFound(f"{spec!r} returned None instead of an application")
        if inspect.iscoroutine(target):
            target.close()
            raise AppNotFound(f"{spec!r} is a coroutine; the function that makes the application must be none")
    if not callable(target):
        raise AppNotFound(f"{spec!r} is {_kind(target)}, which is not callable")
    if interface != "auto":
        return target, interface.upper()
    interface = _interface(target, spec)
    if arguments is None:
        _refuse_factory(target, spec, interface)
    return target, interface


def _parse(expression):
    try:
        node = ast.parse(expression, mode="eval").body
    except SyntaxError:
        node = None
    arguments = None
    if isinstance(node, ast.Call):
        if any(each.arg is None for each in node.keywords):
            raise AppNotFound(f"{expression!r}: the arguments of a factory must be literal values")
        try:
            arguments = (
                [ast.literal_eval(each) for each in node.args],
                {each.arg: ast.literal_eval(each.value) for each in node.keywords},
            )
        except ValueError:
            raise AppNotFound(
                f"{expression!r}: the arguments of a factory must be literal values"
            ) from None
        node = node.func
    path = []
    while isinstance(node, ast.Attribute):
        path.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise AppNotFound(
            f"{expression!r} is neither an attribute name nor a factory call; "
            "write module:attribute or module:factory()"
        )
    return [node.id, *path], arguments


def _import(name):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing != name and not name.startswith(missing + "."):
            raise
        searched = ", ".join(repr(each) for each in sys.path)
        raise AppNotFound(
            f"there is no module {missing!r}. Searched: {searched}. See --chdir, --pythonpath."
        ) from None


def _find(module, name, path):
    target = module
    for depth, attribute in enumerate(path):
        try:
            target = getattr(target, attribute)
        except AttributeError:
            where = ".".join([name, *path[:depth]])
            raise AppNotFound(
                f"there is no {attribute!r} in {where!r}.{_suggest(module, name)}"
            ) from None
    return target


def _suggest(module, name):
    for candidate in USUAL_NAMES:
        found = getattr(module, candidate, None)
        factory = candidate in ("create_app", "make_app")
        if callable(found) and not (factory and _parameters(found)):
            return f" Did you mean '{name}:{candidate}{'()' if factory else ''}'?"
    return " Name the application: module:attribute."


def _call(factory, expression, args, kwargs):
    if not callable(factory):
        raise AppNotFound(f"{expression!r}: what is called here is no function")
    try:
        return factory(*args, **kwargs)
    except TypeError as error:
        if error.__traceback__.tb_next is None:  # the call itself failed, not something within
            raise AppNotFound(f"{expression!r}: {error}") from None
        raise


def _interface(target, spec):
    call = target if inspect.isroutine(target) else getattr(target, "__call__", None)
    if inspect.isclass(target):
        if inspect.iscoroutinefunction(target.__dict__.get("__call__")):
            raise AppNotFound(
                f"{spec!r} is a class whose instances are ASGI applications; name an instance, or "
                "make one: module:Class(). An ASGI 2 application (called with the scope first) needs "
                "asgiref.compatibility.guarantee_single_callable around it"
            )
    elif inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(call):
        return "ASGI"
    names = _parameters(target)
    if names == ["scope", "receive", "send"]:
        return "ASGI"
    if names == ["scope"]:
        raise AppNotFound(
            f"{spec!r} is an ASGI 2 application (called with the scope first); put "
            "asgiref.compatibility.guarantee_single_callable around it"
        )
    return "WSGI"


def _parameters(target):
    """The names of those that a call must give."""
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [each.name for each in parameters
            if each.kind in positional and each.default is inspect.Parameter.empty]
