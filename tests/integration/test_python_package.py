# SPDX-License-Identifier: MIT
"""The server's own Python modules in its workers: what tracebacks say of them, and what they leave alone."""

import re
import sys

import pytest

from harness.paths import ROOT
from harness.waiting import wait_until

SOURCES = ROOT / "src" / "python" / "package" / "_unicoro"
APP = """
import inspect, pickle, sys, traceback

def post_request(worker, request, environ, response):
    request.unreader

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [globals()[environ["PATH_INFO"][1:]]().encode()]

def fail():
    try:
        sys.modules["_unicoro.loading"].load(":x", "auto")
    except Exception:
        return traceback.format_exc()

def source():
    import _unicoro.loading
    return inspect.getsource(_unicoro.loading)

def pickled():
    import _unicoro
    cancelled = pickle.loads(pickle.dumps(_unicoro.RequestCancelled()))
    return type(cancelled).__module__ + "." + type(cancelled).__qualname__

def finders():
    return repr([type(each).__module__ for each in sys.meta_path if "unicoro" in type(each).__module__])
"""


@pytest.fixture
def site(tmp_path, start):
    """An application whose folder has modules of the names that the server's have, too."""
    (tmp_path / "package_app.py").write_text(APP)
    for name in ("_unicoro/__init__.py", "embedded.py", "loading.py", "compat.py", "server_log.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("raise SystemExit('taken for the server')\n")

    def serve(*args, env=None, **more):
        return start(
            "--python", sys.executable, "--pythonpath", tmp_path, "--chdir", tmp_path, *args, "package_app:app",
            env={"PYTHONDONTWRITEBYTECODE": "1", **(env or {})}, **more,
        )

    return serve


def line_of(trace, module, function):
    """The line of the source that a traceback names for a function, and the text that it shows of it."""
    found = re.search(rf'File "<unicoro>/{module}\.py", line (\d+), in {function}\n    (.*)', trace)
    assert found, trace
    return (SOURCES / f"{module}.py").read_text().splitlines()[int(found.group(1)) - 1].strip(), found.group(2)


@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "sync", "--preload"], ["-k", "async"], ["--threads", "2"]])
def test_a_traceback_names_file_and_line(site, worker):
    server = site(*worker)
    there, shown = line_of(server.get("/fail").text, "loading", "load")
    assert there == shown and shown.startswith("raise AppNotFound(")
    assert server.get("/source").text == (SOURCES / "loading.py").read_text()
    assert server.get("/finders").text == "['_unicoro.embedded']"


def test_a_traceback_in_the_log(site):
    server = site(config={"hooks": {"post_request": "package_app:post_request"}})
    server.allow("Traceback|Exception in post_request hook|AttributeError")
    server.get("/pickled")
    wait_until(lambda: "has no 'unreader' here" in server.log(), "the hook has failed")
    there, shown = line_of(server.log(), "gunicorn_objects", "__getattr__")
    assert there == shown == "raise AttributeError("
    there, shown = line_of(server.log(), "hooked", "after")
    assert there == shown


def test_what_ends_a_request_can_be_pickled(site):
    assert site().get("/pickled").text == "_unicoro.RequestCancelled"


def test_versions_that_no_greenlet_carries_requests_with(site, tmp_path):
    pytest.importorskip("greenlet")
    early = tmp_path / "early"
    early.mkdir()
    (early / "sitecustomize.py").write_text("import greenlet\ngreenlet.__version__ = '99.1.0'\n")
    line = "each request has a greenlet of its own: sharing them was not tried with greenlet 99.1"
    server = site("-k", "async", env={"PYTHONPATH": str(early)})
    with server.client() as client:
        client.send("GET /pickled HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
        assert [client.response().text for _ in range(50)] == ["_unicoro.RequestCancelled"] * 50
    assert [each.split("] ")[-1] for each in server.log().splitlines() if "of its own" in each] == [line]
    assert "[INFO] " + line in server.log()


def test_usual_versions_say_nothing(site):
    pytest.importorskip("greenlet")
    server = site("-k", "async")
    assert server.get("/pickled").status == 200
    assert "of its own" not in server.log()
