# SPDX-License-Identifier: MIT
"""Modules that are in the program: where they come from, and what tracebacks and tools see of them."""

import importlib
import inspect
import marshal
import os
import re
import subprocess
import sys
import textwrap
import traceback

import pytest
from package_tree import FOLDER

from _unicoro.embedded import Importer, is_ours

INNER = "def fail(number):\n    raise ValueError(number)\n"


@pytest.fixture
def importer(monkeypatch):
    code = marshal.dumps(compile(INNER, "<unicoro>/inner.py", "exec"))
    made = Importer({"_probe": (True, None, b"name = 'package'\n"), "_probe.inner": (False, code, INNER.encode())})
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, made])
    yield made
    for name in ("_probe", "_probe.inner"):
        sys.modules.pop(name, None)


def test_modules_say_where_they_are_from(importer):
    inner = importlib.import_module("_probe.inner")
    package = sys.modules["_probe"]
    assert (package.name, package.__file__, package.__path__) == ("package", "<unicoro>/__init__.py", [])
    assert (inner.__file__, inner.__spec__.origin, inner.__loader__) == ("<unicoro>/inner.py",) * 2 + (importer,)
    assert is_ours(inner.fail.__code__.co_filename) and not is_ours(__file__)


def test_a_traceback_has_file_line_and_text(importer):
    inner = importlib.import_module("_probe.inner")
    with pytest.raises(ValueError) as caught:
        inner.fail(3)
    text = "".join(traceback.format_exception(caught.type, caught.value, caught.tb))
    assert 'File "<unicoro>/inner.py", line 2, in fail\n    raise ValueError(number)\n' in text
    assert inspect.getsource(inner.fail) == INNER


def test_others_are_not_found(importer):
    assert importer.find_spec("os") is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("_probe.other")


def program(tmp_path, *modules):
    """The text that `embed.py program` makes of modules of the package."""
    made = tmp_path / "made.hpp"
    paths = [str(FOLDER / "_unicoro" / f"{name}.py") for name in modules]
    subprocess.run([sys.executable, str(FOLDER / "embed.py"), "program", str(made), "text", *paths], check=True)
    return re.search(r'R"unicoro_py\((.*)\)unicoro_py"', made.read_text(), re.DOTALL).group(1)


def test_nothing_in_the_path_takes_its_place(tmp_path):
    """Neither a package of that name where the program starts, nor modules beside the application."""
    for name in ("_unicoro/__init__.py", "embedded.py", "server_log.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("raise SystemExit('taken for the server's')\n")
    (tmp_path / "conf.py").write_text("workers = 3\n")
    read, write = os.pipe()
    text = program(tmp_path, "__init__", "embedded", "gunicorn_names", "server_log", "settings_file")
    question = '{"location": "conf.py", "names": ["workers"], "classes": [], "path": []}'
    with os.fdopen(read) as answer:
        subprocess.run([sys.executable, "-c", text, str(write), question], cwd=tmp_path, pass_fds=[write], check=True)
        os.close(write)
        assert '"workers": ["value", 3, null' in answer.read()


def test_every_module_is_built_in():
    listed = set(re.findall(r"'_unicoro/(\w+)\.py'", (FOLDER / "meson.build").read_text()))
    there = {path.stem for path in (FOLDER / "_unicoro").glob("*.py")}
    assert listed == there


def test_modules_for_a_python(tmp_path):
    made = tmp_path / "made.cpp"
    path = tmp_path / "one.py"
    path.write_text(textwrap.dedent(INNER))
    subprocess.run([sys.executable, str(FOLDER / "embed.py"), "modules", str(made), str(path)], check=True)
    text = made.read_text()
    assert '{"_unicoro.one", false, code_0, R"unicoro_py(def fail(number):' in text
    code = bytes(map(int, re.search(r"code_0\[\] = \{\n([\d,\n]+)\}", text).group(1).split(",")))
    assert marshal.loads(code).co_filename == "<unicoro>/one.py"
