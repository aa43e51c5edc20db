# SPDX-License-Identifier: MIT
"""--preload, --reload and --spew."""

import gc
import glob
import linecache
import os
import sys
import threading
import traceback

from .embedded import is_ours

_suspects = set()


def preloaded():
    """After the application was imported where workers are forked: what it has left running there that no
    worker will have, as text. Ends gevent's hub, and lets workers share the memory of what is there."""
    left = []
    if "gevent.hub" in sys.modules:
        import gevent
        from gevent._hub_local import get_hub_if_exists

        waiting = sum(
            1 for each in gc.get_objects() if isinstance(each, gevent.Greenlet) and not each.dead
        )
        if waiting:
            left.append(f"{waiting} greenlets")
        hub = get_hub_if_exists()
        if hub is not None:
            hub.destroy(destroy_loop=True)
    here = threading.current_thread()
    threads = [each.name for each in threading.enumerate() if each is not here]
    if threads:
        left.append(f"threads ({', '.join(threads)})")
    gc.collect()
    gc.freeze()
    return " and ".join(left)


def suspect(error):
    """Notes the files that an error came from: they are watched, although they are no modules."""
    while error is not None:
        for frame in traceback.extract_tb(error.__traceback__):
            _suspects.add(frame.filename)
        if isinstance(error, SyntaxError) and error.filename:
            _suspects.add(error.filename)
        error = error.__cause__ or error.__context__


def code_files(extra):
    """The files whose change asks for a new worker: of every module, and those of `extra`, which may be
    patterns."""
    found = set(_suspects)
    for module in list(sys.modules.values()):
        try:
            path = getattr(module, "__file__", None)
        except Exception:  # a lazy module may do anything
            continue
        if isinstance(path, str):
            found.add(path[:-1] if path.endswith((".pyc", ".pyo")) else path)
    for pattern in extra:
        found.update(glob.glob(pattern, recursive=True) or [pattern])
    return [os.path.abspath(each) for each in found if not each.startswith("<")]


def _trace(frame, event, _):
    if is_ours(frame.f_code.co_filename):
        return None
    if event == "line":
        name = frame.f_globals.get("__name__", "?")
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        if line:
            print(f"{name}:{frame.f_lineno}: {line.rstrip()}", flush=True)
    return _trace


class _Spewing:
    """Greenlets and threads begin without tracing: each call of the application sets it anew."""

    def __init__(self, application):
        self.application = application

    def __call__(self, *args):
        sys.settrace(_trace)
        return self.application(*args)


def spew(application=None):
    sys.settrace(_trace)
    threading.settrace(_trace)
    return None if application is None else _Spewing(application)
