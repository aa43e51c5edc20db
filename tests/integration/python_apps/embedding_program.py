# SPDX-License-Identifier: MIT
"""A program that embeds the server as it would embed gunicorn: embedding_program.py OPTIONS.json [KIND]."""

import importlib
import json
import logging
import os
import sys
from pathlib import Path

from unicoro.app.base import BaseApplication

PLACE, KIND = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "wsgi"
NOTES = PLACE.with_name("notes")
MASTER = os.getpid()
PATH = list(sys.path)


def note(*words):
    with NOTES.open("a") as file:
        print(*words, file=file)


class Logger(importlib.import_module("logging").Logger):
    """Not gunicorn's: it only takes the settings."""

    def __init__(self, cfg):
        super().__init__("embedding")

    def access(self, resp, req, environ, request_time):
        note("access", resp.status_code, req.path)


class Unlike:
    """No worker class."""


class Made:
    """What only the program has."""

    def __init__(self, text):
        self.text = text

    def __call__(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(told(self.text)).encode()]


def told(text):
    return {"made": text, "made_in": MASTER, "served_in": os.getpid(), "loaded_in": Site.loaded_in,
            "path": sys.path == PATH, "argv": sys.argv[1:], "main": __name__}


async def answer_asgi(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(told("asgi")).encode()})


class Site(BaseApplication):
    loaded_in = None

    def __init__(self, application, place):
        self.application, self.place = application, place
        self.times = 0
        super().__init__()

    def load_config(self):
        self.times += 1
        options = json.loads(self.place.read_text())
        for name in options.pop("hooks_here", []):
            self.cfg.set(name, self.hook(name, self.times))
        if "logger_here" in options:
            options.pop("logger_here")
            self.cfg.set("logger_class", Logger)
        if "class_here" in options:
            options.pop("class_here")
            self.cfg.set("worker_class", Unlike)
        if options.pop("stream_here", False):
            options["logconfig_dict"] = {
                "version": 1, "disable_existing_loggers": False,
                "handlers": {"here": {"()": lambda: logging.FileHandler(NOTES)}},
                "root": {"handlers": ["here"], "level": "INFO"},
            }
        if "exit_here" in options:
            sys.exit(options["exit_here"])
        for name, value in options.items():
            self.cfg.set(name, value)

    def hook(self, name, times):
        def called(*args):
            mine = [each.app is self for each in args if hasattr(each, "app")]
            note(name, os.getpid(), times, all(mine))

        return called

    def load(self):
        Site.loaded_in = os.getpid()
        if KIND == "broken":
            raise KeyError("nothing to load")
        return self.application


def main():
    application = {"asgi": answer_asgi, "none": None}.get(KIND, Made("wsgi"))
    site = Site(application, PLACE)
    print("before", flush=False)
    try:
        site.run()
    finally:
        note("after", os.getpid())


if __name__ == "__main__":
    main()
