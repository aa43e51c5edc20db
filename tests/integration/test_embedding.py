# SPDX-License-Identifier: MIT
"""Programs that embed the server: unicoro.app.BaseApplication, with gunicorn's protocol."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from harness import programs
from harness.waiting import wait_until

PROGRAM = Path(__file__).parent / "python_apps" / "embedding_program.py"
HOOKS = ["when_ready", "post_fork", "post_worker_init", "pre_request", "post_request", "worker_exit", "on_exit"]


class Embedding:
    """A folder with the options of the program, and what it notes."""

    def __init__(self, folder, start, command):
        self.place, self.notes = folder / "options.json", folder / "notes"
        self._start, self._command = start, command

    def options(self, **options):
        self.place.write_text(json.dumps(options))

    def start(self, kind="wsgi", *args, env=None, ready=True, **options):
        self.options(**options)
        return self._start(
            self.place, kind, *args, command=[sys.executable, str(PROGRAM)],
            env=programs.environment(**(env or {})), ready=ready,
        )

    def run(self, kind="wsgi", **options):
        self.options(**options)
        return self._command(self.place, kind, command=[sys.executable, str(PROGRAM)], env=programs.environment())

    def noted(self, name=None):
        lines = [line.split() for line in self.notes.read_text().splitlines()] if self.notes.exists() else []
        return [line for line in lines if name in (None, line[0])]


@pytest.fixture
def embedding(tmp_path, start, command):
    return Embedding(tmp_path, start, command)


CLASSES = {
    "sync": {"worker_class": "sync"},
    "threads": {"threads": 2},
    "async": {"worker_class": "gevent"},
    "eventlet": {"worker_class": "eventlet"},
}


@pytest.mark.parametrize("kind", CLASSES)
def test_a_wsgi_object_of_the_program(embedding, kind):
    server = embedding.start(workers=2, **CLASSES[kind])
    told = json.loads(server.get("/").text)
    assert (told["made"], told["made_in"], told["main"]) == ("wsgi", server.pid, "__main__")
    # As under gunicorn: load() is called in the worker.
    assert told["loaded_in"] == told["served_in"] != server.pid
    assert told["path"]
    assert told["argv"] == [str(embedding.place), "wsgi"]
    assert len(server.workers()) == 2


@pytest.mark.parametrize("kind", ["sync", "async", "uvicorn.workers.UvicornWorker"])
def test_an_asgi_object_of_the_program(embedding, kind):
    server = embedding.start("asgi", worker_class=kind)
    told = json.loads(server.get("/").text)
    assert told["made"] == "asgi"
    assert told["loaded_in"] == told["served_in"] != server.pid


def test_preloaded(embedding):
    server = embedding.start(preload_app=True, workers=2)
    told = json.loads(server.get("/").text)
    assert [told["loaded_in"]] == server.preloaders() != [told["served_in"]]


@pytest.mark.parametrize("preload", [False, True])
def test_hooks_are_the_functions_themselves(embedding, preload):
    server = embedding.start(hooks_here=HOOKS, preload_app=preload)
    worker = server.workers()[0]
    assert server.get("/").status == 200
    assert server.stop() == 0
    where = {"when_ready": server.pid, "on_exit": server.pid}
    for name in HOOKS:
        # In the right process, and `app` of what they are called with is the program.
        assert embedding.noted(name) == [[name, str(where.get(name, worker)), "1", "True"]], name


def test_hooks_by_name_and_none(embedding):
    server = embedding.start(
        env={"PYTHONPATH": f"{programs.MODULES}:{PROGRAM.parent}", "HOOK_NOTES": str(embedding.notes)},
        hooks={"post_fork": "hooks_probe.post_fork"}, worker_int=None, bind=None,
    )
    assert [line[0] for line in embedding.noted("post_fork")] == ["post_fork"]
    assert server.get("/").status == 200


def test_hup_loads_the_settings_anew(embedding):
    server = embedding.start(hooks_here=["post_fork"])
    embedding.options(hooks_here=["post_fork"], workers=2, server_header="anew")
    server.send(signal.SIGHUP)
    wait_until(lambda: server.get("/").header("Server") == "anew", "the settings are the new ones")
    server.wait_workers(2)
    server.workers_when_ready = 2
    # The functions of the second time are called.
    assert {line[2] for line in embedding.noted("post_fork")} == {"1", "2"}
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workers": "some"}, "Site: workers: must be a whole number"),
        ({"workerz": 2}, r"workerz: unknown setting; did you mean \"workers\"\?"),
        ({"exit_here": "no"}, "SystemExit: no"),
    ],
)
def test_a_wrong_setting_on_hup_changes_nothing(embedding, options, said):
    server = embedding.start()
    server.allow("ERROR|Traceback")
    workers = server.workers()
    embedding.options(**options)
    server.send(signal.SIGHUP)
    server.wait_log(said)
    assert server.workers() == workers
    assert server.get("/").status == 200
    embedding.options(server_header="mended")
    server.send(signal.SIGHUP)
    wait_until(lambda: server.get("/").header("Server") == "mended", "the settings are the new ones")


def test_new_hooks_under_a_master_that_calls_them(embedding):
    server = embedding.start(hooks_here=["pre_fork"])
    embedding.options(hooks_here=["pre_fork"])
    server.send(signal.SIGHUP)
    wait_until(lambda: len(embedding.noted("pre_fork")) == 2, "a second worker is forked")
    assert [line[2] for line in embedding.noted("pre_fork")] == ["1", "2"]
    wait_until(lambda: len(server.workers()) == 1, "the first one has left")


def test_ctrl_c(embedding):
    server = embedding.start(workers=2)
    workers = server.workers()
    os.killpg(server.pid, signal.SIGINT)
    assert server.wait_exit() == 0
    # The call of run() ends in the workers, too.
    assert {line[1] for line in embedding.noted("after")} == {str(each) for each in [server.pid, *workers]}
    assert server.output() == "before\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workers": "some"}, "Site: workers: must be a whole number"),
        ({"workerz": 2}, 'Site: workerz: unknown setting; did you mean "workers"?'),
        ({"config": "x.py"}, "Site: config: can only be given on the command line, as --config"),
        ({"worker_class": "tornado"}, 'Site: worker_class: "tornado" is refused: Tornado has its own event loop'),
        ({"protocol": "uwsgi"}, "Site: protocol is not available yet"),
        ({"python": "/usr/bin/python3"}, f"python: this program serves with its own interpreter, {sys.executable}"),
        ({"post_fork": "nothing to call"}, "Site: post_fork: is a hook and must be a function"),
        ({"class_here": 1}, 'Site: worker_class: "__main__.Unlike" is not derived from any worker class known here'),
        ({"interface": "wsg"}, "Site: interface: "),
    ],
)
def test_a_wrong_setting(embedding, options, said):
    done = embedding.run(**options)
    assert done.returncode == 2, done.stderr
    assert f"unicoro: error: {said}" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_application_that_does_not_load(embedding):
    done = embedding.run("broken", bind="127.0.0.1:0")
    assert done.returncode == 4
    assert "KeyError: 'nothing to load'" in done.stderr


def test_an_application_that_is_none(embedding):
    done = embedding.run("none", bind="127.0.0.1:0")
    assert done.returncode == 4
    assert "load() of __main__:Site returned a NoneType, which is not callable" in done.stderr


def test_nothing_else_is_read(embedding, tmp_path):
    """gunicorn reads files and flags for a program only where that does it itself."""
    (tmp_path / "unicoro.json").write_text('{"server_header": "file"}')
    (tmp_path / "gunicorn.conf.py").write_text("server_header = 'python'\n")
    server = embedding.start("wsgi", "--server-header", "argv", env={"UNICORO_CMD_ARGS": "--server-header variable"})
    assert server.get("/").header("Server") == "unicoro"


def test_what_belongs_to_load_is_said(embedding):
    server = embedding.start(wsgi_app="other:app")
    server.wait_log("Site: app has no effect: the application is what load\\(\\) returns")
    assert server.get("/").status == 200


def test_classes_and_objects_of_the_program(embedding):
    server = embedding.start(logger_here=True, accesslog="-")
    assert server.get("/seen").status == 200
    wait_until(lambda: embedding.noted("access") == [["access", "200", "/seen"]], "the program's logger is called")


def test_a_dictionary_with_objects(embedding):
    server = embedding.start("wsgi", stream_here=True, hooks_here=["post_fork"], accesslog="-")
    assert server.get("/").status == 200


SCRIPT = """
import os, sys, threading
from unicoro.app import BaseApplication

class Site(BaseApplication):
    def load_config(self):
        self.cfg.set("bind", "127.0.0.1:0")
    def load(self):
        os.kill(os.getppid(), 15)
        return lambda environ, start_response: []

"""


def run_script(command, tmp_path, text):
    (tmp_path / "script.py").write_text(SCRIPT + text)
    return command("script.py", command=[sys.executable], env=programs.environment())


def test_the_server_runs_once(command, tmp_path):
    done = run_script(command, tmp_path, """
pid = os.getpid()
try:
    Site().run()
except SystemExit as end:
    if os.getpid() == pid:
        Site().run()
""")
    assert "RuntimeError: the server runs once in a process" in done.stderr


def test_outside_of_the_main_thread(command, tmp_path):
    done = run_script(command, tmp_path, """
def serve():
    try:
        Site().run()
    except RuntimeError as error:
        print("refused:", error)
thread = threading.Thread(target=serve)
thread.start()
thread.join()
""")
    assert "refused: the server runs in the main thread of the program" in done.stdout


def test_settings_as_gunicorn_has_them(command, tmp_path):
    done = run_script(command, tmp_path, """
cfg = Site().cfg
assert cfg.workers == 1 and cfg.settings["workers"].get() == 1
assert "post_fork" in cfg.settings and "wsgi_app" in cfg.settings and "certfile" in cfg.settings
assert cfg.post_fork(None, None) is None
assert not hasattr(cfg, "workerz")
try:
    cfg.workers = 2
except AttributeError as error:
    print(error)
cfg.settings["workers"].set(3)
assert cfg.workers == 3
""")
    assert done.stdout == "workers: settings are set with cfg.set('workers', value)\n", done.stderr


PATCHED = """
from gevent import monkey
monkey.patch_all()
import sys, time
from unicoro.app import BaseApplication

class Site(BaseApplication):
    def load_config(self):
        self.cfg.set("worker_class", "gevent")
        self.cfg.set("preload_app", "preload" in sys.argv)
    def load(self):
        return app

def app(environ, start_response):
    time.sleep(0.2)
    start_response("200 OK", [])
    return [b"waited"]

time.sleep(0.01)
Site().run()
"""


@pytest.mark.parametrize("more", [[], ["preload"]])
def test_a_program_that_has_patched_for_gevent(start, tmp_path, more):
    """It has a hub of its own, and workers wait together all the same."""
    (tmp_path / "patched.py").write_text(PATCHED)
    server = start("patched.py", *more, command=[sys.executable], env=programs.environment())
    first = server.workers()
    with server.client() as one, server.client() as other:
        began = time.monotonic()
        one.request("/")
        other.request("/")
        assert one.response().text == other.response().text == "waited"
        assert time.monotonic() - began < 0.39
    server.send(signal.SIGHUP)
    wait_until(lambda: server.workers() and not set(first) & set(server.workers()), "a new worker has come")
    assert server.get("/").text == "waited"
    os.killpg(server.pid, signal.SIGINT)
    assert server.wait_exit() == 0


def test_the_command_as_an_entry_point(command):
    code = "import sys; from unicoro.app.wsgiapp import run; sys.exit(run())"
    done = command("-c", code, "--version", command=[sys.executable], env=programs.environment())
    assert done.stdout.startswith("unicoro (version ")
    done = command("-m", "unicoro.app.wsgiapp", "--version", command=[sys.executable], env=programs.environment())
    assert done.stdout.startswith("unicoro (version ")
