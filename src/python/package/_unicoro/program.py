# SPDX-License-Identifier: MIT
"""A program that embeds the server (unicoro.app): it is asked for its settings in place of a file. What it sets to
a function or a class is found here, as an attribute of this module, by the name of the setting.
"""

import json
import sys
import threading


class _Embedding:
    program = None  # the one that serves: an unicoro.app.BaseApplication
    is_asked = False


def running():
    return _Embedding.program


def is_named(spec):
    """Whether this names the application of the program."""
    return _Embedding.program is not None and spec == _spec()


def serve(program):
    """Serves the program's application. Returns the exit code, in each worker too."""
    from _unicoro import serve as begin

    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("the server runs in the main thread of the program: call run() there")
    _Embedding.program = program
    return begin()


def answer(question):
    """To a python_question of the server, both in JSON."""
    # Not before a program asks for it: no other server has a use for these.
    from .settings_file import describe_classes, failure

    asked = json.loads(question)
    if asked["classes"]:
        return json.dumps(describe_classes(asked["classes"]))
    program = _Embedding.program
    told = {"name": type(program).__name__, "app": _spec()}
    before = program.cfg
    try:
        if _Embedding.is_asked:
            program.reload()
        _Embedding.is_asked = True
        told["values"] = {name: _tell(name, value) for name, value in program.cfg.given()}
    except BaseException as error:  # sys.exit(), too, would end the service
        program.cfg = before
        told["failure"] = failure(error, getattr(sys.modules.get(type(program).__module__), "__file__", None))
    return json.dumps(told)


def _tell(name, value):
    from .settings_file import tell

    kind, text, lineage = tell(value)
    # A class is called by its name where that leads to it.
    if kind == "class" and _named(value) is not value:
        text = f"__config__.{name}"
    return [kind, text, lineage, None]


def _named(cls):
    found = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found


def _spec():
    cls = type(_Embedding.program)
    return f"{cls.__module__}:{cls.__qualname__}"


def __getattr__(name):
    program = _Embedding.program
    if program is not None and name in program.cfg.settings:
        return program.cfg.settings[name].get()
    raise AttributeError(name)
