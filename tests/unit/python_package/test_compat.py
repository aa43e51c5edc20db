# SPDX-License-Identifier: MIT
"""What the server changes in others: each with a reason and an end, and undone where it must be."""

import ast
import os
import signal
import subprocess
import sys

import pytest
from package_tree import FOLDER

from _unicoro import compat


@pytest.mark.parametrize("python", [(3, 9, 18), (3, 11, 2, "final", 0), (3, 13, 0)])
@pytest.mark.parametrize("greenlet", ["2.0.2", "3.0.0", "3.1.1", "3.5.6", "3.5.7.dev0"])
def test_carriers_of_tried_versions(python, greenlet):
    assert compat.untried_for_carriers(python, greenlet) == ""


@pytest.mark.parametrize(
    ("python", "greenlet", "named"),
    [
        ((3, 8, 18), "3.5.6", "CPython 3.8"),
        ((3, 14, 0), "3.5.6", "CPython 3.14"),
        ((4, 0, 0), "3.5.6", "CPython 4.0"),
        ((3, 11, 2), "1.1.3", "greenlet 1.1"),
        ((3, 11, 2), "3.6.0", "greenlet 3.6"),
        ((3, 11, 2), "4.0a1", "greenlet 4.0"),
        ((3, 11, 2), "unknown", "greenlet 'unknown'"),
        ((3, 11, 2), "", "greenlet ''"),
    ],
)
def test_carriers_of_others(python, greenlet, named):
    line = compat.untried_for_carriers(python, greenlet)
    assert line.endswith(f"was not tried with {named}") and "\n" not in line


def test_carriers_here():
    pytest.importorskip("greenlet")
    assert compat.untried_for_carriers() == ""


def test_each_change_says_how_long_it_is_needed():
    tree = ast.parse((FOLDER / "_unicoro" / "compat.py").read_text())
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")]
    # Those two only choose; the other one takes back.
    functions = [each for each in functions if not each.name.startswith(("patch_", "forget_wakeup"))]
    assert len(functions) >= 10
    for each in functions:
        assert "Until: " in (ast.get_docstring(each) or ""), each.name


def test_the_wakeup_descriptor_is_shared():
    told = []
    original = signal.set_wakeup_fd
    pipes = [os.pipe() for _ in range(3)]
    for ends in pipes:
        for end in ends:
            os.set_blocking(end, False)
    first, ours, second = (write for _, write in pipes)
    try:
        signal.set_wakeup_fd(first)
        compat.share_wakeup_fd(ours, told.append)
        assert told == [first]
        assert signal.set_wakeup_fd(second) == first
        assert told[-1] == second
        assert original(ours) == ours, "the application's took its place"
        compat.share_wakeup_fd(-1, told.append)
        assert original(-1) == second
        compat.share_wakeup_fd(ours, told.append)
        compat.forget_wakeup_fd()
        assert told[-1] == -1 and original(-1) == -1
    finally:
        original(-1)
        signal.set_wakeup_fd = original
        compat._Wakeup.original = compat._Wakeup.pass_on = None
        for end in (end for ends in pipes for end in ends):
            os.close(end)


def test_a_module_is_changed_when_it_is_imported(tmp_path, monkeypatch):
    (tmp_path / "imported_late.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    seen = []
    compat._when_imported("imported_late", lambda module: seen.append(module.value))
    assert not seen
    import imported_late

    assert seen == [1]
    compat._when_imported("imported_late", lambda module: seen.append(module is imported_late))
    assert seen == [1, True]


def test_the_end_of_a_pool_does_not_wait_for_the_thread_that_forked():
    import threading
    from concurrent.futures import thread

    thread._threads_queues[threading.current_thread()] = None
    compat.leave_pool()
    assert threading.current_thread() not in thread._threads_queues


OLDER_THREAD = """
import sys, threading
sys.path.insert(0, {folder!r})
from _unicoro import hubs
begun, go = threading.Event(), threading.Event()
thread = threading.Thread(target=lambda: (begun.set(), go.wait()))
thread.start()
begun.wait()
hubs.patch_gevent()
go.set()
thread.join(30)
print(thread.is_alive(), thread in threading.enumerate())
"""


def test_a_thread_that_is_older_than_the_patch_ends_quietly():
    pytest.importorskip("gevent")
    done = subprocess.run(
        [sys.executable, "-c", OLDER_THREAD.format(folder=str(FOLDER))], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("False False\n", "")
