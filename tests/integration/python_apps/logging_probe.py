# SPDX-License-Identifier: MIT
"""Applications that log as code written for gunicorn and uvicorn does, and say what they find."""

import logging
import logging.config
import os
import sys
import threading

# The recipe of countless tutorials, with the application's own logger in place of Flask's.
recipe = logging.getLogger("recipe")
recipe.handlers = logging.getLogger("gunicorn.error").handlers
recipe.setLevel(logging.getLogger("gunicorn.error").level)
recipe.propagate = False


class NoHealth(logging.Filter):
    def filter(self, record):
        return "/health" not in record.getMessage()


def facts():
    error, access = logging.getLogger("gunicorn.error"), logging.getLogger("gunicorn.access")
    return "\n".join(map(str, [
        [type(each).__name__ for each in error.handlers], error.level, error.propagate,
        [type(each).__name__ for each in access.handlers], access.propagate,
        os.environ.get("SERVER_SOFTWARE"), *sys.argv,
    ]))


def work(path, query):
    if path == "/say":
        recipe.info("INFO-LINE")
        recipe.warning("WARN-LINE")
        logging.getLogger("gunicorn.error").debug("DEBUG-LINE")
    elif path == "/access":
        logging.getLogger("gunicorn.access").info("by hand")
    elif path == "/own":
        logging.getLogger("own").warning("of a worker")
    elif path == "/print":
        print("printed")
        print("printed to stderr", file=sys.stderr)
    elif path == "/raise":
        raise ValueError("on purpose")
    elif path == "/many":
        threads = [threading.Thread(target=say_often, args=(query,)) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    elif path == "/filter":
        logging.getLogger("gunicorn.access").addFilter(NoHealth())
    elif path == "/disable":
        logging.config.dictConfig({"version": 1})
    elif path == "/facts":
        return facts()
    return "done"


def say_often(tag):
    for number in range(50):
        recipe.info("%s %d %s", tag, number, "x" * 2000)


def app(environ, start_response):
    body = work(environ["PATH_INFO"], environ["QUERY_STRING"]).encode()
    start_response("200 OK", [("Content-Length", str(len(body))), ("X-Answer", "yes")])
    return [body]


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = await receive()
            if os.environ.get("FILTER_IN_LIFESPAN"):
                logging.getLogger("uvicorn.access").addFilter(lambda record: record.args[2] != "/health")
            await send({"type": event["type"] + ".complete"})
            if event["type"] == "lifespan.shutdown":
                return
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).info("to %s", name)
    body = work(scope["path"], scope["query_string"].decode()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
