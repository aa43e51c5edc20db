# SPDX-License-Identifier: MIT
"""Ends of calls, of children and of threads; and the records of access lines."""

import os
import pickle
import threading
from types import SimpleNamespace

import pytest

from _unicoro import CallEnded, RequestCancelled, access_route, call_ends, child, development, forks


@pytest.mark.parametrize(("given", "code"), [(None, 0), (0, 0), (3, 3), (256 + 7, 7), ("a reason", 1)])
def test_exit_codes(given, code, capsys):
    assert forks._exit_code(given) == code
    assert capsys.readouterr().err == ("a reason\n" if given == "a reason" else "")


@pytest.mark.parametrize(
    ("greenlet", "code"),
    [
        (None, None),
        (SimpleNamespace(dead=False), None),
        (SimpleNamespace(dead=True, exception=None), 0),
        (SimpleNamespace(dead=True, exception=SystemExit(4)), 4),
        (SimpleNamespace(dead=True, exception=ValueError()), 1),
        (SimpleNamespace(dead=True, _exit_event=SimpleNamespace(_exc=SystemExit(5))), 5),
    ],
)
def test_the_end_of_the_greenlet_that_forked(monkeypatch, greenlet, code):
    monkeypatch.setattr(child.Child, "greenlet", greenlet)
    assert forks._end_of_greenlet(None) == code


def test_what_ends_a_call_is_no_exception():
    assert issubclass(CallEnded, SystemExit) and issubclass(CallEnded, RequestCancelled)
    assert not issubclass(RequestCancelled, Exception)
    for kind in (RequestCancelled, CallEnded):
        assert type(pickle.loads(pickle.dumps(kind()))) is kind


def test_the_hook_of_an_abort_runs_once(monkeypatch):
    calls = []
    monkeypatch.setattr(call_ends.tell_abort, "hook", lambda: calls.append(1))
    call_ends.tell_abort()
    call_ends.tell_abort()
    assert calls == [1]


def test_threads_are_waited_for():
    gate = threading.Event()
    thread = call_ends.start_thread(gate.wait, 3)
    assert thread.daemon and thread.name == "unicoro-3"
    assert not call_ends.join_threads([thread], 0.01)
    gate.set()
    assert call_ends.join_threads([thread], 10)


def test_code_files_are_files(tmp_path):
    extra = tmp_path / "extra.txt"
    extra.write_text("")
    found = development.code_files([str(tmp_path / "*.txt"), "none.cfg"])
    assert {str(extra), os.path.abspath("none.cfg"), os.__file__} <= set(found)
    assert not [each for each in found if "<" in each]


def test_the_files_of_an_error_are_watched(tmp_path, monkeypatch):
    monkeypatch.setattr(development, "_suspects", set())
    with pytest.raises(SyntaxError) as caught:
        compile("def f(:", str(tmp_path / "broken.py"), "exec")
    development.suspect(caught.value)
    assert str(tmp_path / "broken.py") in development.code_files([])


def test_a_line_stays_as_the_server_has_made_it():
    made = access_route._Ready("the line", "%s", ("a",))
    assert (str(made), made % ("a",), made % ("b",)) == ("the line", "the line", "b")


def test_the_record_of_a_request():
    record = access_route._Record(
        "line", "::1", "GET", "/%61?b", "/%61", "b", "HTTP/1.1", 404, 7, 1500, [("x-a", "1"), ("x-a", "2")], [], {},
    )
    assert record.environ["PATH_INFO"] == "/a" and record.environ["HTTP_X_A"] == "1,2"
    assert record.response.status == "404 Not Found" and record.request.uri == "/%61?b"
    assert record.took.microseconds == 1500 and record.request.version == (1, 1)
