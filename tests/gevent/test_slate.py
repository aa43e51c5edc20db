# SPDX-License-Identifier: MIT
"""Whether a request has left something on its greenlet, which decides whether that carries the next one. The
versions of CPython and greenlet that passed this are those of compat.py."""

import contextvars
import weakref

import greenlet
import pytest

slate = pytest.importorskip("_unicoro_slate")

variable = contextvars.ContextVar("variable", default="clean")
kept = []


@pytest.fixture(autouse=True)
def forget():
    yield
    kept.clear()


def nothing():
    return sum(range(10))


def a_failure():
    try:
        raise ValueError
    except ValueError:
        pass


def deep_calls(depth=100):
    return deep_calls(depth - 1) if depth else greenlet.getcurrent() is None


def a_generator():
    return list(each for each in (greenlet.getcurrent() is None,))


def a_child():
    greenlet.greenlet(lambda: None).switch()


def an_empty_dictionary():
    return len(greenlet.getcurrent().__dict__)


@pytest.mark.parametrize("request_", [nothing, a_failure, deep_calls, a_generator, a_child, an_empty_dictionary])
def test_clean(request_):
    assert slate.run(request_, 3) == [True, True, True]


def an_attribute():
    greenlet.getcurrent().number = 1


def a_reference():
    kept.append(greenlet.getcurrent())


def a_weak_reference():
    kept.append(weakref.ref(greenlet.getcurrent()))


def its_dictionary():
    kept.append(greenlet.getcurrent().__dict__)


def another_parent():
    here = greenlet.getcurrent()
    here.parent = greenlet.greenlet(lambda answer: answer, here.parent)


@pytest.mark.parametrize("request_", [an_attribute, a_reference, a_weak_reference, its_dictionary, another_parent])
def test_used(request_):
    assert slate.run(request_, 1) == [False]


def test_each_has_a_context_of_its_own():
    seen = []

    def sets_a_variable():
        seen.append(variable.get())
        variable.set("used")

    assert slate.run(sets_a_variable, 3) == [True, True, True]
    assert seen == ["clean", "clean", "clean"] and variable.get() == "clean"


def test_a_failure_comes_out():
    with pytest.raises(ZeroDivisionError):
        slate.run(lambda: 1 / 0, 1)
