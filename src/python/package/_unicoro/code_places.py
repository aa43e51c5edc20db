# SPDX-License-Identifier: MIT
"""Where the code of requests is, seen from another thread than theirs: for the monitor.

The calls of all are taken first, as (code, line), before anything is read from a file: what runs goes on meanwhile.
"""

import linecache
import sys
import threading

from .embedded import is_ours

MOST_CALLS = 40
DEEPEST = 100_000
MOST_TEXT = 200


def look(loop_thread, room, places):
    """What is seen at (kind, subject) of `places`: (runs on the loop, calls as text). `room`: as much text as there may
    be; the rest has None, those that run come first."""
    threads = sys._current_frames()
    of_loop = threads.get(loop_thread)
    seen = [_LOOKS[kind](subject, of_loop, threads) for kind, subject in places]
    told = [None] * len(seen)
    for place in sorted(range(len(seen)), key=lambda place: not seen[place][0]):
        running, calls = seen[place]
        text = _text(calls)
        room -= len(text)
        if room < 0:
            break
        told[place] = (running, text)
    return told


def _calls(frame, outermost=None):
    """(calls, how many more there are), the innermost first."""
    calls, count = [], 0
    while frame is not None and count < DEEPEST:
        if count < MOST_CALLS:
            calls.append((frame.f_code, frame.f_lineno))
        count += 1
        frame = None if frame is outermost else frame.f_back
    return calls, count - len(calls)


NOTHING = ([], 0)


def _loop(_, of_loop, __):
    calls = _calls(of_loop)
    return bool(_without_ours(calls[0])), calls


def _thread(number, _, threads):
    return False, _calls(threads.get(number))


def _greenlet(greenlet, of_loop, _):
    frame = greenlet.gr_frame
    if frame is not None:
        return False, _calls(frame)
    # One that is active and has no frame is the one that runs.
    return (True, _calls(of_loop)) if greenlet else (False, NOTHING)


def _task(coroutine, of_loop, _):
    calls, known = [], set()
    while coroutine is not None and id(coroutine) not in known and len(known) < MOST_CALLS:
        known.add(id(coroutine))
        following = None
        for kind, awaited in (("cr", "cr_await"), ("gi", "gi_yieldfrom"), ("ag", "ag_await")):
            frame = getattr(coroutine, kind + "_frame", None)
            if frame is None:
                continue
            if getattr(coroutine, kind + "_running", False) and _is_in(frame, of_loop):
                inner, more = _calls(of_loop, frame)
                return True, (inner + calls, more)
            calls.insert(0, (frame.f_code, frame.f_lineno))
            following = getattr(coroutine, awaited, None)
        coroutine = following
    return False, (calls, 0)


_LOOKS = {"loop": _loop, "thread": _thread, "greenlet": _greenlet, "task": _task}


def _is_in(wanted, frame):
    count = 0
    while frame is not None and frame is not wanted and count < DEEPEST:
        frame, count = frame.f_back, count + 1
    return frame is wanted


def _without_ours(calls):
    """Without what leads from the program, or the begin of a thread, to the application."""
    end = len(calls)
    while end > 0 and _leads_there(calls[end - 1][0]):
        end -= 1
    return calls[:end]


def _leads_there(code):
    return code in _PROGRAM or is_ours(code.co_filename) or code.co_filename == threading.__file__


def _text(told):
    calls, more = told
    lines = []
    for code, number in reversed(_without_ours(calls)):
        number = number or 0
        source = _source(code.co_filename, number)
        name = getattr(code, "co_qualname", code.co_name)
        lines.append("\t".join((_field(code.co_filename), str(number), _field(name), _field(source))))
    if more:
        lines.insert(0, f"\t0\t\t{more} more calls")
    return "".join(line + "\n" for line in lines)


def _source(file, number):
    try:
        return linecache.getline(file, number)
    except Exception:  # names that are none, loaders of the application's
        return ""


def _field(text):
    return " ".join(text[:MOST_TEXT].split())


def _running_now(frame):
    codes = set()
    while frame is not None:
        codes.add(frame.f_code)
        frame = frame.f_back
    return codes


# This is imported by the server when it begins, however it was started.
_PROGRAM = frozenset(_running_now(sys._getframe()))
