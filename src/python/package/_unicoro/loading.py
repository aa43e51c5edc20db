# SPDX-License-Identifier: MIT
"""Imports the application, and says what is wrong where that does not lead to one."""

import importlib
import inspect
import sys

from . import AppNotFound, program, proposals
from .app_spec import parse


def which_python(error):
    """After an import that failed: the interpreter, which may be another than was meant."""
    while error is not None and not isinstance(error, ImportError):
        error = error.__cause__ or error.__context__
    if error is None:
        return ""
    release = ".".join(map(str, sys.version_info[:3]))
    return (f"Python: {sys.executable} ({release}); --python names another interpreter or the folder of a "
            "virtual environment.")


def load(spec, interface):
    """The application that `module[:attribute | :factory(arguments)]` names, and "WSGI" or "ASGI".

    `interface` is "auto", or what the application is said to be.
    """
    if program.is_named(spec):
        return _loaded(program.running().wsgi(), spec, interface)
    name, colon, expression = spec.partition(":")
    if not name:
        raise AppNotFound(f"{spec!r} does not begin with the name of a module; write module:attribute")
    if proposals.names_a_file(name) and not proposals.is_module(name):
        proposals.explain_file(name, expression or None)
    if colon and not expression:
        raise AppNotFound(f"{spec!r} names nothing after the ':'; write module:attribute")
    expression = expression or "application"
    path, arguments = parse(expression)
    module = _import(name)
    target = _find(module, name, path)
    if arguments is not None:
        target = _call(target, expression, *arguments)
        if target is None:
            raise AppNotFound(f"{spec!r} returned None instead of an application")
        if inspect.iscoroutine(target):
            target.close()
            raise AppNotFound(f"{spec!r} is a coroutine; the function that makes the application must be none")
    if not callable(target):
        raise AppNotFound(f"{spec!r} is {proposals.kind(target)}, which is not callable")
    if interface != "auto":
        return target, interface.upper()
    interface = _interface(target, spec)
    if arguments is None:
        proposals.refuse_factory(target, spec, interface)
    return target, interface


def _loaded(target, spec, interface):
    """What the program's load() has returned."""
    if not callable(target):
        raise AppNotFound(f"load() of {spec} returned {proposals.kind(target)}, which is not callable")
    return target, _interface(target, spec) if interface == "auto" else interface.upper()


def _import(name):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing != name and not name.startswith(missing + "."):
            raise
        searched = ", ".join(repr(each) for each in sys.path)
        raise AppNotFound(
            f"there is no module {missing!r}. Searched: {searched}. See --chdir, --pythonpath."
        ) from None


def _find(module, name, path):
    target = module
    for depth, attribute in enumerate(path):
        try:
            target = getattr(target, attribute)
        except AttributeError:
            where = ".".join([name, *path[:depth]])
            raise AppNotFound(
                f"there is no {attribute!r} in {where!r}.{_suggest(module, name)}"
            ) from None
    return target


def _suggest(module, name):
    for candidate in proposals.USUAL_NAMES:
        found = getattr(module, candidate, None)
        factory = candidate in ("create_app", "make_app")
        if callable(found) and not (factory and _parameters(found)):
            return f" Did you mean '{name}:{candidate}{'()' if factory else ''}'?"
    return " Name the application: module:attribute."


def _call(factory, expression, args, kwargs):
    if not callable(factory):
        raise AppNotFound(f"{expression!r}: what is called here is no function")
    try:
        return factory(*args, **kwargs)
    except TypeError as error:
        if error.__traceback__.tb_next is None:  # the call itself failed, not something within
            raise AppNotFound(f"{expression!r}: {error}") from None
        raise


def _interface(target, spec):
    call = target if inspect.isroutine(target) else getattr(target, "__call__", None)
    if inspect.isclass(target):
        if inspect.iscoroutinefunction(target.__dict__.get("__call__")):
            raise AppNotFound(
                f"{spec!r} is a class whose instances are ASGI applications; name an instance, or "
                "make one: module:Class(). An ASGI 2 application (called with the scope first) needs "
                "asgiref.compatibility.guarantee_single_callable around it"
            )
    elif inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(call):
        return "ASGI"
    names = _parameters(target)
    if names == ["scope", "receive", "send"]:
        return "ASGI"
    if names == ["scope"]:
        raise AppNotFound(
            f"{spec!r} is an ASGI 2 application (called with the scope first); put "
            "asgiref.compatibility.guarantee_single_callable around it"
        )
    return "WSGI"


def _parameters(target):
    """The names of those that a call must give."""
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [each.name for each in parameters
            if each.kind in positional and each.default is inspect.Parameter.empty]
