# SPDX-License-Identifier: MIT
"""Python: no import that nothing uses, no name that nothing defines; below src syntax of Python 3.9; and what
changes other people's modules stands in compat.py."""

import ast
import builtins
import symtable

from lint import Finding, Tree, lint_main

OLDEST = (3, 9)
PACKAGE = "src/python/package/_unicoro/"
PATCHES = PACKAGE + "compat.py"
# What every module and every class body has.
GIVEN = set(dir(builtins)) | {
    "__builtins__", "__cached__", "__doc__", "__file__", "__loader__", "__module__", "__name__", "__package__",
    "__path__", "__qualname__", "__spec__",
}
# Attributes of others that are meant to be set.
SETTINGS = {"sys.argv", "config.loop"}


def _tables(table: symtable.SymbolTable):
    yield table
    for child in table.get_children():
        yield from _tables(child)


def _defined(top: symtable.SymbolTable) -> set[str]:
    """The names of the module, those of `global` in functions too."""
    names = set(GIVEN)
    for table in _tables(top):
        for symbol in table.get_symbols():
            bound = symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
            if bound and (table is top or symbol.is_declared_global()):
                names.add(symbol.get_name())
    return names


def _used_below(table: symtable.SymbolTable, name: str) -> bool:
    for child in table.get_children():
        here = name in child.get_identifiers() and child.lookup(name)
        if here and here.is_referenced() and (here.is_free() or here.is_global()):
            return True
        # What a class body defines hides nothing from its methods.
        hidden = here and here.is_local() and child.get_type() != "class"
        if not hidden and _used_below(child, name):
            return True
    return False


def _exported(tree: ast.Module) -> set[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(each, "id", "") == "__all__" for each in node.targets):
            return {each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant)}
    return set()


def _lines(tree: ast.Module) -> dict[str, int]:
    """Where each name stands first, and where it is imported."""
    lines: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            lines.setdefault(node.id, node.lineno)
    return lines


def _imports(tree: ast.Module):
    """Name, line and whether it is from elsewhere, for all that is imported."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            relative = isinstance(node, ast.ImportFrom) and node.level > 0
            future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], node.lineno, not relative, future


def _check_names(path: str, text: str, tree: ast.Module) -> list[Finding]:
    top = symtable.symtable(text, path, "exec")
    defined, exported, lines = _defined(top), _exported(tree), _lines(tree)
    imported = {name: line for name, line, _, _ in _imports(tree)}
    future = {name for name, _, _, is_future in _imports(tree) if is_future}
    findings = []
    for table in _tables(top):
        for symbol in table.get_symbols():
            name = symbol.get_name()
            if symbol.is_imported() and not symbol.is_referenced() and not _used_below(table, name):
                if name not in exported | future and not (table is top and path.endswith("__init__.py")):
                    findings.append(Finding(path, imported.get(name, 1), f"'{name}' is imported and not used"))
            unknown = symbol.is_referenced() and symbol.is_global() and name not in defined
            if unknown and not symbol.is_imported():
                findings.append(Finding(path, lines.get(name, 1), f"'{name}' is not defined"))
    return findings


def _dotted(node: ast.expr) -> str:
    """"a.b" of a.b, "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    inner = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{inner}.{node.attr}" if inner else ""


def _check_patches(path: str, tree: ast.Module) -> list[Finding]:
    foreign = {name for name, _, from_elsewhere, _ in _imports(tree) if from_elsewhere}
    findings = []
    for node in ast.walk(tree):
        changed = []
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del)):
            changed.append(_dotted(node))
        elif isinstance(node, ast.Call) and _dotted(node.func) in ("setattr", "delattr") and node.args:
            changed.append(_dotted(node.args[0]) + ".?")
        for name in changed:
            if name.partition(".")[0] in foreign and name not in SETTINGS:
                findings.append(Finding(path, node.lineno, f"'{name}' is not ours to change: {PATCHES} does that"))
    return findings


def check(tree: Tree) -> list[Finding]:
    findings = []
    for path, text in tree.items():
        if not path.endswith(".py") or "broken" in path:
            continue
        try:
            parsed = ast.parse(text, path, feature_version=OLDEST if path.startswith("src/") else None)
        except SyntaxError as error:
            release = ".".join(map(str, OLDEST)) if path.startswith("src/") else "of today"
            findings.append(Finding(path, error.lineno or 1, f"no Python {release}: {error.msg}"))
            continue
        findings += _check_names(path, text, parsed)
        if path.startswith(PACKAGE) and path != PATCHES:
            findings += _check_patches(path, parsed)
    return findings


BAD = [
    ("src/a.py", "import os\n", "'os' is imported and not used"),
    ("src/a.py", "import os.path as way\n", "'way' is imported"),
    ("src/a.py", "from . import a, b\nb()\n", "'a' is imported"),
    ("src/a.py", "def f():\n    import os\n    return 1\nos = f\nos()\n", "'os' is imported"),
    ("src/a.py", "import os\ndef f(os):\n    return os\n", "'os' is imported"),
    ("src/a.py", "def f():\n    return missing\n", "'missing' is not defined"),
    ("src/a.py", "class A:\n    b = missing\n", "'missing' is not defined"),
    ("src/a.py", "x = [lost for each in ()]\n", "'lost' is not defined"),
    ("src/a.py", "match 1:\n    case 1: pass\n", "no Python 3.9"),
    ("src/a.py", "def f(:\n", "no Python"),
    (PACKAGE + "a.py", "import signal\nsignal.signal = print\n", "'signal.signal' is not ours to change"),
    (PACKAGE + "a.py", "from asyncio import events\ndel events.a.b\n", "'events.a.b' is not ours"),
    (PACKAGE + "a.py", "import os\nsetattr(os, 'fork', 1)\n", "'os.?' is not ours"),
]
GOOD = [
    ("src/a.py", "from os import path\n__all__ = ['path']\n"),
    ("src/a.py", "from __future__ import annotations\n"),
    ("src/a.py", "import os\nclass A:\n    def f(self):\n        return lambda: os.sep\n"),
    ("src/a.py", "def f():\n    global g\n    g = 1\nf()\nprint(g, __name__)\n"),
    ("src/a.py", "def f():\n    import os\n    def g():\n        return os\n    return g\n"),
    ("src/a.py", "class A:\n    x = 1\n    y = [x]\n    z = __module__\n"),
    ("src/a.py", "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n = 1\n    return g, n\n"),
    ("src/a.py", "from x import y\nclass A:\n    def y(self):\n        return y(self)\n"),
    ("src/__init__.py", "from .a import b\n"),
    ("tests/a.py", "match 1:\n    case 1: pass\n"),
    (PACKAGE + "a.py", "import sys\nsys.argv = []\nsys.modules['a'] = 1\n"),
    (PACKAGE + "a.py", "from . import b\nb.hook = 1\nclass A: pass\nA.x = 1\nsetattr(A, 'y', 1)\n"),
    (PATCHES, "import signal\nsignal.set_wakeup_fd = print\n"),
]

if __name__ == "__main__":
    lint_main(check, BAD, GOOD)
