# SPDX-License-Identifier: MIT
"""The loop by itself: watchers, callbacks, counts."""

import os
import socket
import threading
import time

import gevent
import pytest
from gevent._interfaces import ICallback, ILoop
from zope.interface.verify import verifyObject


def test_interfaces(loop):
    verifyObject(ILoop, loop)
    verifyObject(ICallback, loop.run_callback(print))
    assert gevent.config.loop.__module__ == "_unicoro_gevent"


def test_timers_fire_in_order_of_time_then_of_start(loop):
    seen = []
    delays = [0.03, 0.01, 0.02, 0.01, 0.0]
    timers = [loop.timer(delay) for delay in delays]
    for number, timer in enumerate(timers):
        timer.start(seen.append, number)
    loop.run()
    assert seen == [4, 1, 3, 2, 0]
    assert not any(timer.active for timer in timers)
    assert all(timer.callback is None for timer in timers)


def test_ten_thousand_timers_of_which_most_are_stopped(loop):
    seen = []
    timers = [loop.timer(0.001 + (number * 7919 % 1000) / 50000) for number in range(10_000)]
    for number, timer in enumerate(timers):
        timer.start(lambda at: seen.append(at), timer)
    for number, timer in enumerate(timers):
        if number % 10:
            timer.stop()
    began = time.monotonic()
    loop.run()
    assert len(seen) == 1000
    assert time.monotonic() - began < 5
    assert loop.activecnt == 0


def test_a_repeating_timer_and_again(loop):
    seen = []
    timer = loop.timer(0.001, 0.002)

    def on_time():
        seen.append(1)
        if len(seen) == 3:
            timer.stop()

    timer.start(on_time)
    loop.run()
    assert len(seen) == 3

    deadline = loop.timer(0, 0.05)
    deadline.again(seen.append, "late")
    nudge = loop.timer(0.02)
    nudge.start(lambda: deadline.again(lambda: (seen.append("late"), deadline.stop())))
    began = time.monotonic()
    loop.run()
    assert seen[3:] == ["late"]
    assert time.monotonic() - began >= 0.069


@pytest.mark.parametrize("delay", [0.0001, 0.0005, 0.0015, 0.003])
def test_short_timers_are_precise(loop, delay):
    took = []
    for _ in range(20):
        timer = loop.timer(delay)
        loop.update_now()
        began = time.perf_counter()
        timer.start(lambda: None)
        loop.run()
        took.append(time.perf_counter() - began)
    assert min(took) >= delay
    assert sorted(took)[10] < delay + 0.0007


def test_unreferenced_watchers_do_not_keep_the_loop(loop):
    seen = []
    timer = loop.timer(30, ref=False)
    timer.start(seen.append, 1)
    assert loop.activecnt == 0
    loop.run()
    timer.ref = True
    assert loop.activecnt == 1
    timer.ref = False
    assert loop.activecnt == 0
    timer.stop()
    assert loop.activecnt == 0 and seen == []

    loop.ref()
    assert loop.activecnt == 1
    short = loop.timer(0.001)
    short.start(loop.unref)
    loop.run()
    assert loop.activecnt == 0


def test_callbacks(loop):
    seen = []
    first = loop.run_callback(seen.append, 1)
    stopped = loop.run_callback(seen.append, 2)
    loop.run_callback(lambda: loop.run_callback(seen.append, 3))
    stopped.stop()
    assert first.pending and first and not stopped
    loop.run()
    assert seen == [1, 3]
    assert not first.pending and not first
    assert loop.activecnt == 0


def test_callbacks_for_ever_leave_others_their_turn(loop):
    seen = []

    def again():
        if not seen:
            loop.run_callback(again)

    timer = loop.timer(0.005)
    timer.start(seen.append, 1)
    again()
    loop.run()
    assert seen == [1]


def test_threads_wake_a_loop_that_waits(loop):
    seen = []
    main = threading.get_ident()
    keeps = loop.timer(30)
    keeps.start(lambda: None)
    waker = loop.async_()
    waker.start(lambda: (seen.append("async"), waker.stop(), keeps.stop()))

    def other():
        time.sleep(0.02)
        for number in range(1000):
            loop.run_callback_threadsafe(
                lambda number=number: seen.append((number, threading.get_ident() == main))
            )
        waker.send()

    thread = threading.Thread(target=other)
    began = time.monotonic()
    thread.start()
    loop.run()
    thread.join()
    loop.run()
    assert time.monotonic() - began < 10
    assert sorted(each for each in seen if each != "async") == [(n, True) for n in range(1000)]
    assert seen.count("async") == 1


def test_idle_prepare_check(loop):
    seen = []
    idle, prepare, check = loop.idle(), loop.prepare(ref=False), loop.check(ref=False)
    prepare.start(seen.append, "prepare")
    check.start(seen.append, "check")
    idle.start(lambda: (seen.append("idle"), idle.stop()))
    loop.run()
    assert seen == ["prepare", "check", "idle"]
    loop.run(nowait=True)
    assert seen[3:] == ["prepare", "check"]
    prepare.stop()
    check.stop()


def test_priorities(loop):
    seen = []
    for priority in (-2, 2, 0):
        loop.timer(0, priority=priority).start(seen.append, priority)
    loop.run()
    assert seen == [2, 0, -2]


def test_break_and_once(loop):
    seen = []
    timer = loop.timer(0.001, 0.001)
    timer.start(seen.append, 1)
    loop.run(once=True)
    assert len(seen) == 1
    timer.stop()
    timer = loop.timer(0.001, 0.001)
    timer.start(lambda: (seen.append(2), loop.break_()))
    loop.run()
    assert seen == [1, 2]
    timer.stop()


def test_errors_go_to_the_handler(loop):
    seen = []
    loop.error_handler = lambda context, kind, value, trace: seen.append((context, kind))
    timer = loop.timer(0)
    timer.start(lambda: 1 / 0)
    callback = loop.run_callback(lambda: [][0])
    near, far = socket.socketpair()
    far.send(b"x")
    watcher = loop.io(near.fileno(), 1)
    watcher.start(lambda: {}["key"])
    loop.run()
    assert (timer, ZeroDivisionError) in seen
    assert (callback, IndexError) in seen
    assert (watcher, KeyError) in seen
    assert len(seen) == 3 and not watcher.active
    near.close()
    far.close()


def test_bad_arguments(loop):
    with pytest.raises(ValueError, match="fd must be non-negative"):
        loop.io(-1, 1)
    with pytest.raises(ValueError, match="illegal event mask"):
        loop.io(0, 1000)
    with pytest.raises(OSError, match="Bad file descriptor"):
        loop.io(12345, 1)
    with pytest.raises(ValueError, match="repeat must be positive"):
        loop.timer(1, -1)
    with pytest.raises(ValueError, match="illegal signal number"):
        loop.signal(1000)
    with pytest.raises(TypeError, match="Expected callable"):
        loop.timer(1).start(None)
    with pytest.raises(TypeError, match="unexpected keyword argument 'wrong'"):
        loop.timer(1, wrong=2)
    with pytest.raises(TypeError, match="only available on the default loop"):
        loop.child(1)
    with pytest.raises(ValueError, match="Invalid backend"):
        gevent.config.loop(flags="no-such", default=False)


def test_a_destroyed_loop_says_so():
    made = gevent.config.loop(default=False)
    timer = made.timer(1)
    timer.start(print)
    made.destroy()
    assert made.ptr == 0 and "destroyed" in repr(made)
    with pytest.raises(ValueError, match="destroyed loop"):
        made.run()
    with pytest.raises(ValueError, match="destroyed loop"):
        timer.stop()


def test_a_destroyed_loop_leaves_no_descriptors():
    gevent.config.loop(default=False).destroy()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        made = gevent.config.loop(default=False)
        made.timer(0).start(lambda: None)
        made.run()
        made.destroy()
    assert len(os.listdir("/proc/self/fd")) == before


def test_stat(loop, tmp_path):
    path = tmp_path / "file"
    seen = []
    watcher = loop.stat(str(path), 0.11)
    assert watcher.path == str(path)

    def on_change():
        seen.append((watcher.prev, watcher.attr))
        watcher.stop()

    watcher.start(on_change)
    loop.timer(0.01).start(path.write_text, "x")
    loop.run()
    [(before, after)] = seen
    assert before is None and after.st_size == 1
