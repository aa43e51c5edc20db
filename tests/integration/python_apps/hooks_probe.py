# SPDX-License-Identifier: MIT
"""Server hooks that note what they were called with, and an application that tells."""

import os
import threading
import time

NOTES = os.environ.get("HOOK_NOTES", "/dev/null")
loaded_in = os.getpid()
after_fork = []
os.register_at_fork(after_in_child=lambda: after_fork.append(os.getpid()))


def note(name, *facts):
    with open(NOTES, "a") as file:
        file.write(" ".join([name, str(os.getpid()), *map(str, facts)]) + "\n")


def on_starting(server):
    note("on_starting", server.pid, server.cfg.workers)
    server.log.info("hook says: starting with %d workers", server.cfg.workers)


def on_reload(server):
    note("on_reload", server.pid)


def pre_exec(server):
    note("pre_exec", server.pid)


def when_ready(server):
    note("when_ready", server.num_workers)


def pre_fork(server, worker):
    note("pre_fork", server.pid, worker.age)


def post_fork(server, worker):
    note("post_fork", server.pid, worker.pid, worker.age)


def post_worker_init(worker):
    note("post_worker_init", worker.pid)


def worker_int(worker):
    note("worker_int", worker.pid)


def worker_abort(worker):
    note("worker_abort", worker.pid)


def worker_exit(server, worker):
    note("worker_exit", server.pid, worker.pid)


def child_exit(server, worker):
    note("child_exit", worker.pid)


def nworkers_changed(server, new, old):
    note("nworkers_changed", new, old)


def on_exit(server):
    note("on_exit", server.pid)


def pre_request(worker, req):
    if req.path == "/refused":
        raise ValueError("the hook refuses")
    note("pre_request", worker.pid, req.method, req.path, req.query, dict(req.headers).get("X-PROBE"), worker.nr)


def post_request(worker, req, environ, resp):
    note("post_request", worker.pid, req.path, environ["REQUEST_METHOD"], resp.status_code, resp.sent)


def short_post_request(worker, req):
    note("short", req.path)


def broken(*_):
    raise RuntimeError("this hook is broken")


not_callable = 42


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/busy":
        until = time.monotonic() + 60
        while time.monotonic() < until:
            pass
    if path == "/facts":
        body = f"{loaded_in} {os.getpid()} {after_fork == [os.getpid()]} {threading.active_count()}".encode()
    else:
        body = b"probe"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = await receive()
            await send({"type": event["type"] + ".complete"})
            if event["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    body = f"{loaded_in} {os.getpid()}".encode()
    await send({"type": "http.response.body", "body": body})
