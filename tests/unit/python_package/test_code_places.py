# SPDX-License-Identifier: MIT
"""What the monitor is told of the code of requests."""

import asyncio
import sys
import threading
import time

import pytest

from _unicoro import code_places

ROOM = 100_000


def look(*places, loop=0, room=ROOM):
    return code_places.look(loop, room, list(places))


def calls(text):
    return [tuple(line.split("\t")) for line in text.splitlines()]


def functions(told):
    return [each[2].rpartition(".")[2] for each in calls(told[1])]


class Held:
    """A thread that runs `code(until)` until it is let go."""

    def __init__(self, code):
        self.until, self.inside = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=code, args=(self,))

    def __enter__(self):
        self.thread.start()
        assert self.inside.wait(30)
        return self.thread.ident

    def __exit__(self, *_):
        self.until.set()
        self.thread.join()

    def stay(self):
        self.inside.set()
        while not self.until.is_set():
            time.sleep(0.001)


def outer(held):
    inner(held)


def inner(held):
    held.stay()


def test_a_thread():
    with Held(outer) as number:
        (told,) = look(("thread", number))
    assert told[0] is False
    assert functions(told)[-3:] in (["outer", "inner", "stay"], ["inner", "stay", "is_set"])
    (line,) = (each for each in calls(told[1]) if each[2] == "inner")
    assert line[0] == __file__ and line[3] == "held.stay()"
    assert int(line[1]) == inner.__code__.co_firstlineno + 1
    assert look(("thread", 1)) == [(False, "")]


def test_what_runs_on_the_loop():
    with Held(outer) as number:
        (told,) = look(("loop", None), loop=number)
    assert told[0] is True and {"outer", "inner"} <= set(functions(told))
    assert look(("loop", None), loop=1) == [(False, "")]


def test_the_program_is_not_shown(monkeypatch):
    ours = compile("run()", "<unicoro>/program.py", "exec")

    def program(held):
        exec(ours, {"run": lambda: outer(held)})

    monkeypatch.setattr(code_places, "_PROGRAM", {program.__code__})
    with Held(program) as number:
        (told,) = look(("loop", None), loop=number)
    assert functions(told)[:2] == ["<lambda>", "outer"]
    with Held(lambda held: exec(compile("held.stay()", "<unicoro>/x.py", "exec"), {"held": held})) as number:
        (told,) = look(("thread", number))
    # What calls the server is the application.
    assert functions(told)[:2] == ["<lambda>", "<module>"]
    with Held(lambda held: exec(ours, {"run": held.stay})) as number:
        assert not look(("thread", number))[0][0]


async def wait_in_task(future):
    await deeper(future)


async def deeper(future):
    await future


def test_a_task_that_waits():
    async def main():
        task = asyncio.ensure_future(wait_in_task(asyncio.get_running_loop().create_future()))
        await asyncio.sleep(0)
        told = look(("task", task.get_coro()))
        task.cancel()
        return told[0]

    told = asyncio.run(main())
    assert told[0] is False and functions(told) == ["wait_in_task", "deeper"]


async def hold_in_task(held):
    await hold_deeper(held)


async def hold_deeper(held):
    held.stay()


def test_a_task_that_holds_the_loop():
    coroutines = []

    def run(held):
        coroutines.append(hold_in_task(held))
        asyncio.run(coroutines[0])

    with Held(run) as number:
        (told,) = look(("task", coroutines[0]), loop=number)
    # Nothing of asyncio's, which leads there.
    assert told[0] is True and functions(told)[:3] == ["hold_in_task", "hold_deeper", "stay"]


def test_a_task_that_has_not_begun_or_is_over():
    coroutine = deeper(None)
    (told,) = look(("task", coroutine))
    assert told[0] is False and functions(told) == ["deeper"]
    coroutine.close()
    assert look(("task", coroutine)) == [(False, "")]


def test_greenlets():
    greenlet = pytest.importorskip("greenlet")
    made, fresh = [], greenlet.greenlet(lambda: None)

    def wait():
        greenlet.getcurrent().parent.switch()

    def run(held):
        waiting = greenlet.greenlet(wait)
        waiting.switch()
        holding = greenlet.greenlet(outer)
        made.extend((waiting, holding))
        holding.switch(held)

    with Held(run) as number:
        waiting, holding, new = look(("greenlet", made[0]), ("greenlet", made[1]), ("greenlet", fresh), loop=number)
    assert waiting[0] is False and functions(waiting) == ["wait"]
    assert holding[0] is True and functions(holding)[:2] == ["outer", "inner"]
    assert new == (False, "")


def test_the_deep_and_the_odd():
    def down(held, depth):
        if depth:
            down(held, depth - 1)
        else:
            held.stay()

    with Held(lambda held: down(held, 500)) as number:
        (told,) = look(("thread", number))
    assert len(calls(told[1])) == code_places.MOST_CALLS + 1
    assert calls(told[1])[0][3].endswith("more calls") and "down" in functions(told)
    odd = compile("held.stay()", "a\tb\nc\ud800" + "x" * 500, "exec")
    with Held(lambda held: exec(odd, {"held": held})) as number:
        (told,) = look(("thread", number))
    assert all(len(each) == 4 for each in calls(told[1]))
    assert any(each[0].startswith("a b c\ud800x") and len(each[0]) <= code_places.MOST_TEXT for each in calls(told[1]))


def test_where_there_is_little_room():
    with Held(outer) as number:
        (told,) = look(("thread", number))
        places = [("thread", number)] * 9 + [("loop", None)]
        found = code_places.look(number, len(told[1]) + 500, places)
    # What runs on the loop comes first.
    assert found[-1] is not None and None in found[:-1]


def test_what_is_being_run_meanwhile_does_no_harm():
    stop = threading.Event()

    def busy():
        def deeper(depth):
            return deeper(depth - 1) if depth else 0

        while not stop.is_set():
            deeper(20)

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for each in threads:
        each.start()
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        for told in look(*(("thread", each.ident) for each in threads), loop=threads[0].ident):
            assert all(len(each) == 4 for each in calls(told[1]))
    stop.set()
    for each in threads:
        each.join()
    assert sys.exc_info() == (None, None, None)
