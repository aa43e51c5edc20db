# SPDX-License-Identifier: MIT
"""--reload: new workers when the code changes, its traceback when it does not load; --spew."""

import sys
import time
from pathlib import Path

import pytest

from harness.waiting import wait_until

APPS = Path(__file__).parent / "python_apps"
APP = """
import helper
def app(environ, start_response):
    start_response("200 OK", [])
    return [helper.TEXT.encode()]
"""
ASGI = """
import helper
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": helper.TEXT.encode()})
"""


class Site:
    def __init__(self, folder, app=APP):
        self.folder = folder
        self.write("site_app", app)
        self.write("helper", "TEXT = 'first'\n")

    def write(self, module, text):
        """As an editor does: beside it, then in its place."""
        new = self.folder / f"{module}.py.new"
        new.write_text(text)
        new.rename(self.folder / f"{module}.py")


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def serve(start, site, *args):
    options = ["--pythonpath", site.folder, "--python", sys.executable, "--reload", *args, "site_app:app"]
    return start(*options, env={"PYTHONDONTWRITEBYTECODE": "1"})


def answers(server, status, text):
    """The first response that is like this; while a worker is replaced, both answer."""

    def asked():
        response = server.get()
        return response if response.status == status and text in response.text else None

    return wait_until(asked, f"{status} with {text!r}")


@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"], ["--threads", "2"], ["-k", "eventlet"]])
def test_change_of_a_module(start, site, worker):
    server = serve(start, site, *worker, "-w", "2")
    answers(server, 200, "first")
    for text in ("second", "third"):
        site.write("helper", f"TEXT = {text!r}\n")
        wait_until(lambda: [server.get().text for _ in range(4)] == [text] * 4, f"{text} from each worker")
    assert "helper.py modified" in server.log()


def test_quick_edits_of_equal_size(start, site):
    """Which bytecode that Python had written could not be told apart by."""
    server = start("--pythonpath", site.folder, "--python", sys.executable, "--reload", "-w", "2", "site_app:app")
    for number in range(8):
        site.write("helper", f"TEXT = 'edit{number}'\n")
        time.sleep(0.1)  # what is tested is the pace of the edits
    wait_until(lambda: [server.get().text for _ in range(6)] == ["edit7"] * 6, "the last edit from each worker")


def test_asgi(start, tmp_path):
    site = Site(tmp_path, ASGI)
    server = serve(start, site, "-k", "async")
    answers(server, 200, "first")
    site.write("helper", "TEXT = 'second'\n")
    answers(server, 200, "second")


@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"]])
@pytest.mark.parametrize(
    ("module", "broken", "shown"),
    [
        ("helper", "TEXT = 'a\n", "SyntaxError"),
        ("helper", "raise ValueError('<on purpose>')\n", "ValueError: &lt;on purpose&gt;"),
        ("site_app", "import missing_module\n", "missing_module"),
        ("site_app", "other = 1\n", "there is no &#x27;app&#x27;"),
    ],
)
def test_broken_code_is_shown(start, site, worker, module, broken, shown):
    server = serve(start, site, *worker)
    server.allow(".")
    answers(server, 200, "first")
    site.write(module, broken)
    shown_by = answers(server, 500, shown.replace("&#x27;", "'"))
    assert shown_by.header("Content-Type") == "text/html; charset=utf-8"
    if module == "site_app":
        site.write("site_app", APP)
    site.write("helper", "TEXT = 'mended'\n")
    answers(server, 200, "mended")


def test_broken_from_the_start(start, site):
    site.write("site_app", "import helper_that_comes_later\n" + APP)
    server = serve(start, site)
    server.allow(".")
    answers(server, 500, "helper_that_comes_later")
    site.write("helper_that_comes_later", "")
    answers(server, 200, "first")


def test_module_imported_later(start, site):
    site.write("site_app", APP.replace("import helper", "").replace("    return", "    import helper\n    return"))
    server = serve(start, site)
    answers(server, 200, "first")
    site.write("helper", "TEXT = 'second'\n")
    answers(server, 200, "second")


def test_extra_files(start, site, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.html").write_text("a")
    (tmp_path / "site.ini").write_text("x=1")
    server = serve(
        start, site, "--reload-extra-file", tmp_path / "site.ini", "--reload-extra-file", f"{tmp_path}/templates/*.html"
    )
    for path in (tmp_path / "site.ini", tmp_path / "templates" / "a.html"):
        before = server.wait_workers(1)
        path.write_text("changed")
        wait_until(lambda: server.workers() and server.workers()[0] != before[0] and len(server.workers()) == 1,
                   f"another worker after {path}")
        server.wait_log(f"{path} modified")


def test_other_files_do_not_matter(start, site):
    server = serve(start, site)
    (site.folder / "notes.txt").write_text("x")
    site.write("unrelated", "x = 1\n")
    site.write("helper", "TEXT = 'second'\n")
    answers(server, 200, "second")
    assert "unrelated" not in server.log() and "notes.txt" not in server.log()


def test_native_library(start, tmp_path):
    from harness.paths import probe

    library, _, name = probe().partition(":")
    copy = tmp_path / "libcopy.so"
    copy.write_bytes(Path(library).read_bytes())
    server = start("--reload", f"{copy}:{name}")
    (before,) = server.workers()
    new = tmp_path / "libcopy.so.new"
    new.write_bytes(Path(library).read_bytes())
    new.rename(copy)
    wait_until(lambda: len(server.workers()) == 1 and server.workers() != [before], "another worker")


def test_not_with_preload(command):
    done = command("--reload", "--preload", "app:app")
    assert done.returncode == 2
    assert "does not go with" in done.stderr


@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"], ["--threads", "2"]])
def test_spew(start, site, worker):
    server = start(
        "--pythonpath", site.folder, "--python", sys.executable, "--spew", *worker, "site_app:app",
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert server.get().text == "first"
    wait_until(lambda: "site_app:5:     return [helper.TEXT.encode()]" in server.output(), "the line is printed")
    assert "helper:1: TEXT = 'first'" in server.output()
