# SPDX-License-Identifier: MIT
"""Runs a settings file of gunicorn as gunicorn does and tells the settings in it, as one line of JSON.

Run in a Python of its own, with the arguments FD QUESTION ARGUMENT...: the answer goes to FD; QUESTION is JSON:
"location", a path or python:MODULE, and "names", the variables to tell; or "classes", the names of classes to
describe, and "path", folders to find them in.
"""

import ast
import importlib
import json
import logging
import os
import sys
import traceback
import types

from . import server_log
from .embedded import is_ours
from .gunicorn_names import Names, standing_in

MODULE = "__config__"  # what gunicorn calls the module of the file


def run(location):
    """The variables of the file and where its text lies."""
    if location.startswith("python:"):
        module = importlib.import_module(location[len("python:"):])
        return vars(module), getattr(module, "__file__", None)
    with open(location, "rb") as file:
        code = compile(file.read(), location, "exec")
    module = types.ModuleType(MODULE)
    module.__file__ = location
    sys.modules[MODULE] = module
    # Not by its loader, which might take older code from __pycache__.
    exec(code, vars(module))
    return vars(module), location


def plain(value):
    """The value as JSON has it; TypeError for what JSON cannot have."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and value - value == 0:  # neither infinite nor NaN
        return float(value)
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        value.encode()  # names of files may hold what is no Unicode
        return str(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {plain(key) if isinstance(key, str) else str(key): plain(each) for key, each in value.items()}
    raise TypeError


def tell(value):
    if isinstance(value, type):
        return ["class", f"{value.__module__}.{value.__qualname__}", lineage(value)]
    try:
        return ["value", plain(value), None]
    except (TypeError, UnicodeError):
        return ["function" if callable(value) else "other", type(value).__name__, None]


def lineage(cls):
    """The class and those it is derived from, with what each defines."""
    return [[f"{each.__module__}.{each.__qualname__}", defined(each)] for each in cls.__mro__[:-1]]


def defined(cls):
    names = []
    for name, value in vars(cls).items():
        if name.startswith("__") and name not in ("__init__", "__call__") or name.startswith("_abc"):
            continue
        if name == "CONFIG_KWARGS" and isinstance(value, dict):
            name += f" ({', '.join(map(str, value))})"
        names.append(name)
    return names


def find_class(spec):
    """What `module.Class` or `module:Class` names."""
    module, colon, name = spec.partition(":")
    if not colon:
        module, _, name = spec.rpartition(".")
    try:
        target = importlib.import_module(module)
        for part in name.split("."):
            target = getattr(target, part)
    except BaseException as error:
        return {"problem": traceback.format_exception_only(type(error), error)[-1].strip()}
    if not isinstance(target, type):
        return {"problem": f"it is a {type(target).__name__}, not a class"}
    return {"lineage": lineage(target)}


class Computed(ast.NodeVisitor):
    """Finds how the variables of a module come to their values, where that is not written there."""

    def __init__(self):
        self.found = {}
        self.conditional = 0

    def skip(self, node):
        pass

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = skip

    def within(self, node):
        self.conditional += 1
        self.generic_visit(node)
        self.conditional -= 1

    visit_If = visit_For = visit_While = visit_Try = visit_With = within

    def assigned(self, target, value):
        for node in ast.walk(target):
            if not isinstance(node, ast.Name):
                continue
            try:
                ast.literal_eval(value)
                how = "it depends on a condition" if self.conditional else None
            except ValueError:
                how = ast.unparse(value) if hasattr(ast, "unparse") else "an expression"
            self.found[node.id] = how

    def visit_Assign(self, node):
        for target in node.targets:
            self.assigned(target, node.value)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.assigned(node.target, node.value)

    def visit_AugAssign(self, node):
        for name in ast.walk(node.target):
            if isinstance(name, ast.Name):
                self.found[name.id] = f"it is changed by {ast.dump(node.op)[:-2]}"

    def visit_Import(self, node):
        for alias in node.names:
            self.found[alias.asname or alias.name] = "it is imported"

    visit_ImportFrom = visit_Import


def computed(path):
    finder = Computed()
    try:
        with open(path, "rb") as file:
            finder.visit(ast.parse(file.read()))
    except (OSError, TypeError, SyntaxError, ValueError):
        pass  # a compiled module has no text
    return finder.found


def changes(before, after):
    """What the file did to the environment."""
    altered, lost = {}, []
    for name, text in after.items():
        if before.get(name) == text:
            continue
        try:
            altered[plain(name)] = plain(text)
        except UnicodeError:
            lost.append(ascii(name))
    return altered, lost + sorted(set(before) - set(after))


def loggers_as_they_are():
    """What a file may do to Python's logging."""
    state = {}
    for name in ("root", *logging.root.manager.loggerDict):
        log = logging.root if name == "root" else logging.root.manager.loggerDict[name]
        if isinstance(log, logging.Logger):
            handlers = [id(each) for each in log.handlers if not isinstance(each, logging.NullHandler)]
            state[name] = (handlers, [id(each) for each in log.filters], log.level, log.propagate, log.disabled)
    untouched = ([], [], logging.NOTSET, True, False)
    return {name: each for name, each in state.items() if each != untouched}


def foreign_modules():
    """Those that belong neither to Python nor to this program: there is no knowing what they have done."""
    ours = set(Names.modules) | {MODULE, "__main__"}
    standard = getattr(sys, "stdlib_module_names", None)
    return {name for name in sys.modules
            if name not in ours and (standard is None or name.partition(".")[0] not in standard)}


def server_header():
    """What the file calls the server: gunicorn.SERVER, in older recipes SERVER_SOFTWARE."""
    gunicorn = sys.modules.get("gunicorn") or Names.modules.get("gunicorn")
    if gunicorn is None:
        return None
    name, software = getattr(gunicorn, "SERVER", None), getattr(gunicorn, "SERVER_SOFTWARE", None)
    if name != "gunicorn":
        return name if isinstance(name, str) else None
    usual = f"gunicorn/{getattr(gunicorn, '__version__', '')}"
    return software if isinstance(software, str) and software != usual else None


def failure(error, location):
    """The error in one line; its traceback, without this program's part, goes to standard error."""
    trace = error.__traceback__
    while trace is not None and is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)
    lines = [each.lineno for each in traceback.extract_tb(trace) if each.filename == location]
    if isinstance(error, SyntaxError) and error.filename == location:
        lines.append(error.lineno)
    reason = traceback.format_exception_only(type(error), error)[-1].strip()
    return f"line {lines[-1]}: {reason}" if lines else reason


def remedy(error):
    missing = getattr(error, "name", None) or ""
    if isinstance(error, ModuleNotFoundError) and missing.partition(".")[0] in ("gunicorn", "uvicorn"):
        return (f" (the file imports {missing}, which is not installed for {sys.executable}: install it there beside "
                "the server, or leave that out)")
    return ""


def answer(location, names):
    environment = dict(os.environ)
    path, modules, logs = list(sys.path), foreign_modules(), loggers_as_they_are()
    try:
        with standing_in():
            variables, file = run(location)
            header = server_header()
    except BaseException as error:  # what a server does not survive either: sys.exit() in the file
        return {"failure": failure(error, location) + remedy(error)}
    how = computed(file)
    altered, lost = changes(environment, dict(os.environ))
    return {
        "values": {name: [*tell(variables[name]), how.get(name)] for name in names if name in variables},
        "environment": altered,
        "lost": lost,
        "path": [os.path.abspath(each) for each in sys.path if isinstance(each, str) and each not in path],
        "header": header,
        "effects": foreign_modules() != modules or loggers_as_they_are() != logs,
    }


def describe_classes(specs):
    with standing_in():
        return {"classes": {spec: find_class(spec) for spec in specs}}


def main():
    fd, question, *arguments = sys.argv[1:]
    os.set_inheritable(int(fd), False)
    server_log.provide()
    asked = json.loads(question)
    sys.argv = arguments
    here = os.getcwd()
    ours = [*asked["path"], here]
    sys.path[:] = [*ours, *(each for each in sys.path if each not in ("", *ours))]
    told = answer(asked["location"], asked["names"]) if asked["location"] else describe_classes(asked["classes"])
    line = json.dumps(told)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # the file may have closed it
    with os.fdopen(int(fd), "w") as file:
        file.write(line + "\n")
    # The file may have started threads that never end.
    os._exit(0)
