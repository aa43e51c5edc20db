# SPDX-License-Identifier: MIT
"""What was probably meant by a name that leads to no application. Only what exists is proposed; modules are read
for it, not imported.
"""

import inspect
import os
import re

from . import AppNotFound
from .source_guess import Source, find_module

USUAL_NAMES = ("application", "app", "wsgi", "asgi", "create_app", "make_app")


def names_a_file(name):
    return name.endswith(".py") or "/" in name or name.startswith(".")


def is_module(name):
    """A name with "py" behind its dot may well be one."""
    if "/" in name or name.startswith("."):
        return False
    try:
        return bool(find_module(name))
    except (ImportError, ValueError):
        return False


def explain_file(name, expression):
    """Says of the path of a file how the application in it is named. `expression` is None when it was not
    given."""
    path = os.path.abspath(name)
    if os.path.isdir(path):
        raise AppNotFound(f"{name!r} is a folder; name a module in it: module:attribute")
    if not os.path.isfile(path):
        # "sub.app.py"
        dotted = name[:-3] if name.endswith(".py") and "/" not in name else None
        source = dotted and _read_module(dotted)
        if not source:
            raise AppNotFound(f"there is no file {name!r} in {os.getcwd()!r}; name a module: module:attribute")
        raise AppNotFound(f"there is no module {name!r}.{_did_you_mean('', dotted, source, expression)}")
    start, module = _module_of_file(path)
    option = "" if start is None else f"--chdir {start} "
    raise AppNotFound(
        f"{name!r} is a file; an application is named by its module."
        + _did_you_mean(option, module, _read_file(path, module), expression)
    )


def _module_of_file(path):
    """The folder to start in, None for this one, and the name of the module from there."""
    start, here = None, os.getcwd()
    if os.path.commonpath([path, here]) != here:
        start = here = os.path.dirname(path)
    parts = os.path.relpath(path, here).removesuffix(".py").split(os.sep)
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    return start, ".".join(parts)


def _read_file(path, module):
    try:
        with open(path, "rb") as file:
            return Source(module, file.read(), path.endswith("__init__.py"))
    except (OSError, SyntaxError, ValueError):
        return None


def _read_module(module):
    try:
        return Source.of(module)
    except (ImportError, OSError, SyntaxError, ValueError):
        return None


def _did_you_mean(option, module, source, expression):
    written = re.match(r"\w+", expression or "")
    names = [*([written.group()] if written else []), *USUAL_NAMES]
    for name in names:
        found = source.makes_application(name) if source else None
        if found is None:
            continue
        if written and name == written.group():
            call = "()" if found == "factory" and "(" not in expression else ""
            return f" Did you mean '{option}{module}:{expression}{call}'?"
        return f" Did you mean '{option}{module}:{name}{'()' if found == 'factory' else ''}'?"
    return f" Write '{option}{module}:NAME', with the name that the application has in it."


def kind(value):
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def refuse_factory(target, spec, interface):
    """A function that makes applications, or the class of one, would be called for each request."""
    if not (inspect.isfunction(target) or inspect.isclass(target)):
        return
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return
    if any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters):
        return
    by_place = [each for each in parameters if each.kind in (
        inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    required = [each.name for each in parameters
                if each.default is inspect.Parameter.empty and each in by_place]
    given = 3 if interface == "ASGI" else 2
    # def application(environ={}, start_response=None)
    as_usual = len(by_place) >= given and by_place[0].name.startswith(("env", "scope"))
    what = "a class" if inspect.isclass(target) else "a function"
    if not required and not as_usual:
        raise AppNotFound(
            f"{spec!r} is {what} that can be called without arguments, so it makes an application and is "
            f"none. Did you mean '{spec}()'? (--interface {interface.lower()} takes it as it is.)"
        )
    if len(required) > given or len(by_place) < given:
        wanted = "(scope, receive, send)" if interface == "ASGI" else "(environ, start_response)"
        raise AppNotFound(
            f"{spec!r} is {what} that cannot be called with {wanted}: it takes ({', '.join(required)}). One "
            f"that makes the application is called in its name: '{spec}(...)', with literal values"
        )
