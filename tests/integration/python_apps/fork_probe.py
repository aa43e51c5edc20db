# SPDX-License-Identifier: MIT
"""Applications that fork. What a path names runs in a child process; the answer is what that has seen there
and how it ended.

The WSGI one runs in any worker class; of the ASGI one, what lies under /thread/ runs on a thread.
"""

import asyncio
import atexit
import concurrent.futures
import json
import logging
import multiprocessing
import os
import pty
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

context = multiprocessing.get_context("fork")
NOTES = os.environ.get("FORK_PROBE_NOTES", "")


def note(*words):
    """A line for the test, also from processes that it does not know."""
    with open(NOTES, "a") as file:
        file.write(" ".join(map(str, words)) + "\n")


atexit.register(lambda: note("atexit", os.getpid()))


# What children do


def state():
    """What of the server could be left in this process."""
    names = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            names[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:
            pass
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    masks = {key: int(status[key], 16) for key in ("SigBlk", "SigIgn", "SigCgt")}
    is_set = {
        key: [each.name for each in signal.Signals if mask >> (each - 1) & 1] for key, mask in masks.items()
    }
    shared = [line for line in open("/proc/self/maps") if "/dev/zero" in line]
    return {"files": sorted(names.values()), "shared": shared, **is_set, "wakeup": signal.set_wakeup_fd(-1)}


def sleep():
    began = time.monotonic()
    time.sleep(0.05)
    return time.monotonic() - began >= 0.05


def sockets():
    """Two of its own, over which two threads of its own talk."""
    one, other = socket.socketpair()
    one.settimeout(5)
    talking = threading.Thread(target=lambda: other.sendall(other.recv(10).upper()))
    talking.start()
    time.sleep(0.05)
    one.sendall(b"words")
    answer = one.recv(10)
    talking.join()
    return answer.decode()


def inherited_sockets():
    """Made before the fork: the parent has the other end."""
    shared_sockets[0].sendall(b"from the child")
    return shared_sockets[0].recv(100).decode()


shared_sockets = []


def programs():
    return subprocess.run(["echo", "heard"], stdout=subprocess.PIPE, timeout=5).stdout.decode()


def locks():
    """Locks, queues and events, made here and before."""
    seen = []
    for lock, things, event in ((threading.Lock(), queue.Queue(), threading.Event()), before):
        def other():
            seen.append(things.get())
            with lock:
                seen.append("locked")
            event.set()

        thread = threading.Thread(target=other)
        with lock:
            thread.start()
            time.sleep(0.02)
            things.put("put")
            time.sleep(0.02)
        seen.append(event.wait(5))
        thread.join()
    return seen


before = threading.Lock(), queue.Queue(), threading.Event()


def pools():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return sum(pool.map(lambda each: (time.sleep(0.01), each)[1], range(10)))


async def _gather():
    await asyncio.gather(*(asyncio.sleep(0.05) for _ in range(10)))
    process = await asyncio.create_subprocess_exec("true")
    return await process.wait(), await asyncio.to_thread(lambda: 5)


def asyncio_run():
    return asyncio.run(_gather())


async def _stream():
    """A server and a client of its own."""
    async def echo(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"words\n")
    line = await reader.readline()
    writer.close()
    server.close()
    return line.decode()


def asyncio_sockets():
    return asyncio.run(_stream())


def logs():
    print("printed by the child")
    sys.stdout.flush()
    logging.warning("logged by the child")
    return True


def nested():
    return in_child(sleep), in_process(sleep)


def talks():
    """Tries to answer the request of its parent."""
    environ, start_response = request.environ, request.start_response
    failures = []
    for attempt in (
        lambda: start_response("200 OK", [("Content-Length", "5")])(b"child"),
        lambda: environ["wsgi.input"].read(),
    ):
        try:
            attempt()
            failures.append(None)
        except Exception as error:
            failures.append(type(error).__name__)
    return failures


def exits():
    atexit.register(lambda: note("atexit of the child", os.getpid()))
    sys.stdout.write("buffered by the child\n")
    sys.exit(3)


def comes_back():
    raise ComeBack


class ComeBack(Exception):
    pass


# How they are made, and what is told of them


class Result:
    """A file that a child leaves for its parent."""

    def __enter__(self):
        handle, self.path = tempfile.mkstemp()
        os.close(handle)
        return self

    def __exit__(self, *_):
        os.unlink(self.path)

    def leave(self, work):
        try:
            result = work()
        except Exception:
            result = traceback.format_exc()
        with open(self.path, "w") as file:
            json.dump(result, file)

    def read(self):
        with open(self.path) as file:
            text = file.read()
        return json.loads(text) if text else None


def _end(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def in_child(work, fork=os.fork):
    with Result() as result:
        pid = fork()
        if pid == 0:
            result.leave(work)
            os._exit(0)
        return result.read() if (code := _end(pid)) == 0 else [code, result.read()]


def in_process(work):
    with Result() as result:
        process = context.Process(target=result.leave, args=(work,))
        process.start()
        process.join(10)
        return result.read() if process.exitcode == 0 else [process.exitcode, result.read()]


def _in_terminal(fork, work):
    with Result() as result:
        pid, terminal = fork()
        if pid == 0:
            result.leave(work)
            os._exit(0)
        code = _end(pid)
        os.close(terminal)
        return result.read() if code == 0 else [code, result.read()]


def in_forkpty(work):
    return _in_terminal(os.forkpty, work)


def in_pty(work):
    return _in_terminal(pty.fork, work)


def in_gevent_fork(work):
    import gevent

    return in_child(work, gevent.fork)


def in_preexec(work):
    """Between fork and exec."""
    with Result() as result:
        code = subprocess.run(["true"], preexec_fn=lambda: result.leave(work), timeout=10).returncode
        return result.read() if code == 0 else [code, result.read()]


def in_pool(work):
    with context.Pool(2) as pool:
        return pool.apply(work)


def in_executor(work):
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        return pool.submit(work).result(10)


def in_return(work):
    """The child comes back to the server."""
    pid = os.fork()
    if pid == 0:
        work()
        return "of the child"
    return _end(pid)


def signalled(number):
    """A child that waits is sent a signal, at once and a little later."""
    codes = []
    for pause in (0, 0.1):
        process = context.Process(target=time.sleep, args=(20,))
        process.start()
        time.sleep(pause)
        os.kill(process.pid, getattr(signal, number))
        process.join(5)
        codes.append(process.exitcode)
        process.kill()
    return codes


def interrupted():
    """A child that is interrupted while it switches greenlets."""
    import greenlet

    parent = os.getpid()

    def trace(event, switch):
        if os.getpid() != parent:
            raise KeyboardInterrupt

    before = greenlet.settrace(trace)
    try:
        process = context.Process(target=time.sleep, args=(20,))
        process.start()
        process.join(5)
        process.kill()
        return process.exitcode
    finally:
        greenlet.settrace(before)


def orphan():
    """Outlives the worker."""
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    return pid


class Request(threading.local):
    environ = start_response = None


request = Request()


def answer(path):
    """/HOW/WHAT or /WHAT"""
    name, _, what = path.strip("/").partition("/")
    if name == "signalled":
        return signalled(what)
    plain = {"pid": os.getpid, "orphan": orphan, "slow": sleep, "interrupted": interrupted}
    if name in plain:
        return plain[name]()
    if what == "inherited_sockets":
        shared_sockets[:] = socket.socketpair()
        shared_sockets[1].sendall(b"from the parent")
    result = globals()[name](globals()[what])
    if what == "inherited_sockets":
        return [result, shared_sockets[1].recv(100).decode()]
    return result


def application(environ, start_response):
    request.environ, request.start_response = environ, start_response
    try:
        result = answer(environ["PATH_INFO"])
    except Exception:
        result = traceback.format_exc()
    body = json.dumps(result).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    path = scope["path"].removeprefix(scope["root_path"])
    try:
        if path.startswith("/thread/"):
            result = await asyncio.to_thread(answer, path.removeprefix("/thread"))
        else:
            result = answer(path)
    except Exception:
        result = traceback.format_exc()
    body = json.dumps(result).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
