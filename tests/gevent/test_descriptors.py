# SPDX-License-Identifier: MIT
"""Descriptors: level-triggered, closed while watched, numbers used again, files."""

import os
import socket

import pytest


@pytest.fixture
def pair():
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    yield near, far
    near.close()
    far.close()


def turn(loop):
    """What is ready now; three turns, because a change takes effect in the next one."""
    for _ in range(3):
        loop.run(nowait=True)


def test_what_is_not_taken_is_reported_again(loop, pair):
    near, far = pair
    seen = []
    watcher = loop.io(near.fileno(), 1)
    watcher.start(seen.append, 1)
    turn(loop)
    assert seen == []
    far.send(b"x")
    for expected in (1, 2, 3):
        loop.run(once=True)
        assert len(seen) == expected
    near.recv(10)
    turn(loop)
    assert len(seen) == 3
    watcher.stop()


def test_events_are_passed(loop, pair):
    near, far = pair
    seen = []
    watcher = loop.io(near.fileno(), 3)
    watcher.start(lambda *args: seen.append(args), "a", pass_events=True)
    loop.run(once=True)
    far.send(b"x")
    loop.run(once=True)
    watcher.stop()
    assert seen == [(2, "a"), (3, "a")]


def test_two_watchers_of_one_descriptor(loop, pair):
    near, far = pair
    seen = []
    reads, writes = loop.io(near.fileno(), 1), loop.io(near.fileno(), 2)
    reads.start(seen.append, "read")
    writes.start(seen.append, "write")
    loop.run(once=True)
    assert seen == ["write"]
    writes.stop()
    far.send(b"x")
    loop.run(once=True)
    assert seen == ["write", "read"]
    reads.stop()
    reads.start(seen.append, "again")
    loop.run(once=True)
    assert seen[2:] == ["again"]
    reads.stop()


def test_the_number_of_a_closed_one_used_again(loop):
    for _ in range(3):
        near, far = socket.socketpair()
        seen = []
        watcher = loop.io(near.fileno(), 1)
        watcher.start(seen.append, 1)
        turn(loop)
        number = near.fileno()
        watcher.stop()
        near.close()
        far.close()
        near, far = socket.socketpair()
        assert number in (near.fileno(), far.fileno())
        mine, other = (near, far) if near.fileno() == number else (far, near)
        watcher = loop.io(number, 1)
        watcher.start(lambda: (seen.append(2), watcher.stop()))
        other.send(b"x")
        loop.run()
        assert seen == [2]
        near.close()
        far.close()


def test_closed_while_a_duplicate_lives(loop, pair):
    """The kernel goes on reporting it under the old number: must not spin, nor disturb a new one."""
    near, far = socket.socketpair()
    seen = []
    watcher = loop.io(near.fileno(), 1)
    watcher.start(seen.append, "old")
    turn(loop)
    number = near.fileno()
    keeps = os.dup(number)
    watcher.stop()
    near.close()
    new_near, new_far = pair
    os.dup2(new_near.fileno(), number)
    fresh = loop.io(number, 1)
    fresh.start(lambda: (seen.append("new"), fresh.stop()))
    turn(loop)
    far.send(b"x")
    turn(loop)
    assert seen == []
    new_far.send(b"x")
    loop.run()
    assert seen == ["new"]
    os.close(number)
    os.close(keeps)
    far.close()


def test_closing_lets_the_watchers_know(loop, pair):
    near, _ = pair
    seen = []
    assert not loop.closing_fd(near.fileno())
    watcher = loop.io(near.fileno(), 1)
    watcher.start(lambda: (seen.append(1), watcher.stop()))
    assert loop.closing_fd(near.fileno())
    loop.run()
    assert seen == [1]


def test_a_descriptor_that_went_away_ends_its_watcher(loop):
    near, far = socket.socketpair()
    seen = []
    watcher = loop.io(near.fileno(), 1)
    near.close()
    watcher.start(seen.append, "lost")
    loop.run()
    assert seen == ["lost"] and not watcher.active
    far.close()


def test_files_are_always_ready(loop, tmp_path):
    seen = []
    with open(tmp_path / "file", "w+") as file:
        watcher = loop.io(file.fileno(), 3)
        watcher.start(lambda: (seen.append(1), len(seen) == 3 and watcher.stop()))
        loop.run()
    assert seen == [1, 1, 1]


def test_many_descriptors(loop):
    pairs = [socket.socketpair() for _ in range(400)]
    seen = set()
    watchers = []
    for number, (near, far) in enumerate(pairs):
        watcher = loop.io(near.fileno(), 1)
        watcher.start(lambda number=number, watcher=watcher: (seen.add(number), watcher.stop()))
        watchers.append(watcher)
        far.send(b"x")
    loop.run()
    assert len(seen) == 400
    for near, far in pairs:
        near.close()
        far.close()
