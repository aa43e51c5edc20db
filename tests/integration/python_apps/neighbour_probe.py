# SPDX-License-Identifier: MIT
"""A request forks while others wait for everything a greenlet can wait for. Each of those notes when it goes
on, and in which process.
"""

import gc
import json
import os
import queue
import select
import socket
import subprocess
import sys
import threading
import time
import traceback

NOTES = os.environ.get("FORK_PROBE_NOTES", "")
waits = {}


def note(*words):
    with open(NOTES, "a") as file:
        file.write(" ".join(map(str, words)) + "\n")


def neighbour(wait):
    waits[wait.__name__] = wait
    return wait


class Shared:
    """What the neighbours wait for and the child sets off."""

    def __init__(self):
        self.lock, self.rlock = threading.Lock(), threading.RLock()
        self.queue, self.full, self.simple = queue.Queue(), queue.Queue(1), queue.SimpleQueue()
        self.event, self.condition = threading.Event(), threading.Condition()
        self.semaphore = threading.Semaphore(0)
        self.here, self.there = socket.socketpair()
        self.over = False


@neighbour
def a_while(shared):
    while not shared.over:
        time.sleep(0.01)
        note("a_while", os.getpid())


@neighbour
def a_lock(shared):
    shared.lock.acquire()


@neighbour
def an_rlock(shared):
    shared.rlock.acquire()


@neighbour
def an_item(shared):
    shared.queue.get()


@neighbour
def a_simple_item(shared):
    shared.simple.get()


@neighbour
def room(shared):
    shared.full.put("first")
    shared.full.put("second")


@neighbour
def an_event(shared):
    shared.event.wait()


@neighbour
def a_limited_event(shared):
    threading.Event().wait(0.25)


@neighbour
def a_condition(shared):
    with shared.condition:
        shared.condition.wait()


@neighbour
def a_semaphore(shared):
    shared.semaphore.acquire()


@neighbour
def bytes_(shared):
    shared.there.recv(10)


@neighbour
def a_program(shared):
    subprocess.run(["sleep", "0.25"])


@neighbour
def readiness(shared):
    select.select([shared.here], [], [], 0.25)


def _neighbour(name, shared):
    try:
        waits[name](shared)
    finally:
        note(name, os.getpid())


def child(shared):
    """Wakes them all, and then waits for the same things."""
    seen = []
    shared.lock.release()
    shared.rlock.release()
    shared.queue.put("item")
    shared.simple.put("simple")
    shared.event.set()
    shared.semaphore.release()
    with shared.condition:
        shared.condition.notify_all()
    gc.collect()
    time.sleep(0.1)

    def own():
        with shared.lock, shared.rlock:
            seen.append("locked")
        seen.append(shared.queue.get())
        seen.append(shared.simple.get())
        seen.append(shared.event.wait(1))
        seen.append(shared.semaphore.acquire())

    thread = threading.Thread(target=own)
    thread.start()
    thread.join(5)
    seen.append(shared.full.get())
    time.sleep(0.3)
    gc.collect()
    return seen


def begin_soon(function):
    """In a greenlet that has not begun when this returns."""
    sys.modules.get("eventlet", sys.modules.get("gevent")).spawn(function)


def fork():
    shared = Shared()
    shared.lock.acquire()
    shared.rlock.acquire()
    for name in waits:
        threading.Thread(target=_neighbour, args=(name, shared), daemon=True).start()
    threading.Timer(0.2, lambda: note("a_timer", os.getpid())).start()
    time.sleep(0.05)
    reader, writer = os.pipe()
    begin_soon(lambda: note("begun_late", os.getpid()))
    pid = os.fork()
    if pid == 0:
        try:
            result = child(shared)
        except BaseException:
            result = traceback.format_exc()
        os.write(writer, json.dumps(result).encode())
        os._exit(7)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    shared.over = True
    result = json.loads(os.read(reader, 65536)) if code == 7 else None
    os.close(reader)
    os.close(writer)
    return [os.getpid(), code, result]


def application(environ, start_response):
    if environ["PATH_INFO"] == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])

        def pieces():
            for number in range(20):
                time.sleep(0.02)
                note("a_stream", os.getpid())
                yield b"%d\n" % number

        return pieces()
    if environ["PATH_INFO"] == "/upload":
        result = len(environ["wsgi.input"].read())
        note("an_upload", os.getpid())
    else:
        result = fork()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(result).encode()]
