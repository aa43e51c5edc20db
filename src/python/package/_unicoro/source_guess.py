# SPDX-License-Identifier: MIT
"""Whether an application is ASGI, told from its source: the standard library must be patched for
gevent before a WSGI application is imported, and must not be for an ASGI one. Only what is sure counts; the
import decides in the end.
"""

import ast
from importlib.machinery import PathFinder

from . import AppNotFound
from .app_spec import parse

# What is called from these packages gives an ASGI application.
ASGI_PACKAGES = {
    "blacksheep", "channels", "connexion", "fastapi", "falcon.asgi", "hypercorn", "litestar", "mangum",
    "quart", "responder", "robyn", "sanic", "starlette", "starlite", "uvicorn", "django.core.asgi",
    "asgiref.wsgi.WsgiToAsgi", "socketio.ASGIApp", "engineio.ASGIApp", "a2wsgi.WSGIMiddleware",
    "connexion.AsyncApp", "ninja",
}
MOST_STEPS = 8


def looks_like_asgi(spec):
    """True when the source of `module:attribute` says that it is an ASGI application."""
    name, _, expression = spec.partition(":")
    try:
        path, _ = parse(expression or "application")
        return len(path) == 1 and Source.of(name).gives_asgi(path[0], MOST_STEPS)
    except (AppNotFound, OSError, SyntaxError, ValueError, ImportError):
        return False


def find_module(name):
    """The spec of a module, without an import of its packages."""
    folders = None
    for depth, part in enumerate(name.split(".")):
        found = PathFinder.find_spec(part, folders) if depth == 0 or folders is not None else None
        if found is None:
            raise ImportError(name)
        folders = found.submodule_search_locations
    return found


class Source:
    """A module that was read, not imported."""

    def __init__(self, name, text, is_package):
        self._package = name if is_package else name.rpartition(".")[0]
        self._imports = {}
        self._values = {}
        self._collect(ast.parse(text).body)

    @classmethod
    def of(cls, name):
        found = find_module(name)
        folders = found.submodule_search_locations
        if not (found.origin or "").endswith(".py"):
            raise ImportError(name)
        with open(found.origin, "rb") as file:
            return cls(name, file.read(), folders is not None)

    def _collect(self, statements):
        for each in statements:
            if isinstance(each, ast.Import):
                for alias in each.names:
                    target = alias.name if alias.asname else alias.name.partition(".")[0]
                    self._imports[alias.asname or target] = (target, None)
            elif isinstance(each, ast.ImportFrom):
                module = each.module or ""
                if each.level:
                    base = self._package.split(".")[: len(self._package.split(".")) - each.level + 1]
                    module = ".".join([*base, module] if module else base)
                for alias in each.names:
                    self._imports[alias.asname or alias.name] = (module, alias.name)
            elif isinstance(each, ast.Assign):
                for target in each.targets:
                    if isinstance(target, ast.Name):
                        self._values[target.id] = each.value
            elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                self._values[each.target.id] = each.value
            elif isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self._values[each.name] = each
            elif isinstance(each, (ast.If, ast.Try, ast.With)):
                for block in ("body", "orelse", "handlers", "finalbody"):
                    for inner in getattr(each, block, []):
                        self._collect(inner.body if isinstance(inner, ast.ExceptHandler) else [inner])

    def makes_application(self, name):
        """"factory" for a function of that name that can be called without arguments, "name" for anything
        else that may be an application, None for nothing of that name."""
        value = self._values.get(name)
        if isinstance(value, ast.FunctionDef):
            given = value.args
            required = len(given.posonlyargs) + len(given.args) - len(given.defaults)
            if not required and not given.vararg:
                return "factory"
        return "name" if name in self._values or name in self._imports else None

    def gives_asgi(self, name, steps):
        value = self._values.get(name)
        if value is None and name in self._imports and steps:
            module, attribute = self._imports[name]
            return attribute is not None and Source.of(module).gives_asgi(attribute, steps - 1)
        if isinstance(value, ast.AsyncFunctionDef):
            return len(value.args.posonlyargs + value.args.args) == 3
        if isinstance(value, ast.FunctionDef):
            return self._makes_asgi(value, steps)
        if isinstance(value, ast.Name) and steps:
            return value.id != name and self.gives_asgi(value.id, steps - 1)
        return isinstance(value, ast.Call) and self._call_gives_asgi(value, steps)

    def _call_gives_asgi(self, call, steps):
        path = []
        function = call.func
        while isinstance(function, ast.Attribute):
            path.insert(0, function.attr)
            function = function.value
        if not isinstance(function, ast.Name):
            return False
        if function.id in self._imports:
            module, attribute = self._imports[function.id]
            whole = ".".join([module, *([attribute] if attribute else []), *path])
            if any(whole == each or whole.startswith(each + ".") for each in ASGI_PACKAGES):
                return True
            return not path and bool(steps) and attribute is not None and (
                Source.of(module).gives_asgi(attribute, steps - 1)
            )
        called = self._values.get(function.id)
        if isinstance(called, ast.ClassDef):
            return any(
                isinstance(each, ast.AsyncFunctionDef) and each.name == "__call__"
                for each in called.body
            ) or any(
                isinstance(base, ast.Name)
                and self._call_gives_asgi(ast.Call(func=base, args=[], keywords=[]), steps - 1)
                for base in called.bases
                if steps
            )
        return isinstance(called, ast.FunctionDef) and self._makes_asgi(called, steps)

    def _makes_asgi(self, factory, steps):
        """A function that returns what such a call gave."""
        local = {}
        for each in ast.walk(factory):
            if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call):
                for target in each.targets:
                    if isinstance(target, ast.Name):
                        local[target.id] = each.value
        for each in ast.walk(factory):
            if not isinstance(each, ast.Return):
                continue
            value = local.get(each.value.id) if isinstance(each.value, ast.Name) else each.value
            if isinstance(value, ast.Call) and steps and self._call_gives_asgi(value, steps - 1):
                return True
        return False
