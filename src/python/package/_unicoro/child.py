# SPDX-License-Identifier: MIT
"""A process that the application forks is not the server: what the modules that undo the server there share."""


class Child:
    # Of the extension module (forked_child.cpp).
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


def in_child(undo):
    """Has `undo` called in every child that the application forks."""
    Child.undo.append(undo)
