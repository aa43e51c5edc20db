# SPDX-License-Identifier: MIT
"""gunicorn.conf.py read as it is (`-c`, or in the folder of the start), and `--migrate`."""

import json
import signal

import pytest

from harness.waiting import wait_until

CONF = """
import multiprocessing, os, sys
from datetime import timedelta

bind = ["127.0.0.1:0"]
workers = min(multiprocessing.cpu_count(), 1) + 1
worker_class = "gevent"
worker_connections = 500
timeout = 60
keepalive = 5.5
accesslog = "-"
preload_app = False
raw_env = ["FIRST=1", "SECOND=a=b"]
worker_tmp_dir = "/dev/shm"
forwarded_allow_ips = "*"
umask = 0o007
user = None
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
os.environ["SET_BY_FILE"] = "yes"
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
chunk = timedelta(seconds=3)  # nobody's setting
GREETING = "hello"

def post_fork(server, worker):
    server.log.info("%s from %s, workers=%s", GREETING, worker, server.cfg.workers)

def when_ready(server):
    server.log.info("ready in the conf file")

pre_request = None
"""
APP = """
import os, beside
def app(environ, start_response):
    start_response("200 OK", [])
    return [" ".join(os.environ.get(name, "?") for name in ("FIRST", "SECOND", "SET_BY_FILE")).encode() + beside.TEXT]
"""


@pytest.fixture
def conf(tmp_path):
    path = tmp_path / "gunicorn.conf.py"
    path.write_text(CONF)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "beside.py").write_text("TEXT = b' beside'\n")
    (tmp_path / "conf_app.py").write_text(APP)
    return path


@pytest.mark.parametrize("form", ["{}", "file:{}"])
def test_read_as_it_is(start, conf, form):
    server = start("-c", form.format(conf), "-k", "sync", "--pythonpath", f"{conf.parent},{conf.parent}/lib", "conf_app:app")
    server.wait_workers(2)
    assert server.get().text == "1 a=b yes beside"
    server.wait_log("ready in the conf file")
    server.wait_log(r"hello from <Worker \d+>, workers=2")
    server.wait_log("worker_tmp_dir has no meaning here")
    # Read anew, as JSON would be.
    conf.write_text(CONF.replace('GREETING = "hello"', 'GREETING = "hello"\nos.environ["SET_BY_FILE"] = "again"'))
    before = server.workers()
    server.send(signal.SIGHUP)
    wait_until(lambda: len(server.workers()) == 2 and not set(server.workers()) & set(before), "new workers")
    assert server.get().text == "1 a=b again beside"
    # What fails is refused, and everything goes on.
    server.allow("gunicorn.conf.py|Reload refused|Traceback")
    conf.write_text("x = 1\nraise ValueError('not now')\n")
    server.send(signal.SIGHUP)
    server.wait_log("line 2: ValueError: not now")
    assert server.get().status == 200


def test_in_the_folder_of_the_start(command, conf):
    """As gunicorn does, unless there is a unicoro.json."""
    assert "worker_connections" in (shown := command("--print-config", folder=conf.parent).stdout)
    assert " = 500" in shown
    (conf.parent / "unicoro.json").write_text('{"worker_connections": 7}')
    assert " = 500" not in command("--print-config", folder=conf.parent).stdout


def test_module(start, conf):
    module = conf.parent / "settings_of_the_site.py"
    conf.rename(module)
    env = {"PYTHONPATH": f"{conf.parent}:{conf.parent}/lib", "PYTHONDONTWRITEBYTECODE": "1"}
    server = start("-c", "python:settings_of_the_site", "-k", "sync", "conf_app:app", env=env)
    assert server.get().text == "1 a=b yes beside"
    server.wait_log(r"hello from <Worker \d+>, workers=2")


def test_command_line_wins(command, conf):
    done = command("-c", conf, "-w", "7", "--print-config")
    lines = dict(line.split(" = ", 1) for line in done.stdout.splitlines() if " = " in line)
    values = {name.strip(): value for name, value in lines.items()}
    assert (values["workers"], values["worker_connections"], values["keepalive"]) == ("7", "500", "5.5")
    assert values["umask"] == "7"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workers = \n", "line 1: SyntaxError"),
        ("import nothing_like_it\n", "No module named 'nothing_like_it'"),
        ("raise SystemExit(3)\n", "SystemExit"),
        ("import os\nos._exit(0)\n", "ended the interpreter"),
        ("workers = 'many'\n", "gunicorn.conf.py: workers"),
        ("workers = lambda: 3\n", "workers: is a function"),
        ("protocol = 'uwsgi'\n", "protocol is not available yet"),
        ("logger_class = 'no_such_module.Logger'\n", "No module named 'no_such_module'"),
        ("worker_class = 'json.JSONDecoder'\n", "is not derived from any worker class known here (json.decoder.JSONDecoder)"),
        ("worker_class = 'json.dumps'\n", "it is a function, not a class"),
        ("from gunicorn.workers.gtornado import TornadoWorker\nclass Own(TornadoWorker): pass\nworker_class = Own\n", "Tornado has its own event loop"),
        ("import gunicorn.app.base\n", "which is not installed for"),
        ("logconfig = 'nowhere.ini'\n", "logconfig: the file"),
        ("post_fork = 'hooks'\n", "post_fork: is a hook and must be a function, or the name of one"),
        ("ws_max_size = 1\nwebsocket_max_message_size = 2\n", "means the same as"),
    ],
)
def test_files_that_are_refused(command, tmp_path, text, message):
    conf = tmp_path / "gunicorn.conf.py"
    conf.write_text(text)
    done = command("-c", conf, "app:app")
    assert done.returncode == 2
    assert message in done.stderr


def test_migrate(command, start, conf):
    done = command("--migrate", conf)
    assert done.returncode == 0
    made = json.loads(done.stdout)
    assert made["bind"] == ["127.0.0.1:0"]
    assert (made["workers"], made["worker_connections"], made["timeout"], made["keepalive"]) == (2, 500, 60, 5.5)
    assert made["raw_env"] == {"SET_BY_FILE": "yes", "FIRST": "1", "SECOND": "a=b"}
    assert made["hooks"] == {"post_fork": f"{conf}:post_fork", "when_ready": f"{conf}:when_ready"}
    assert made["pythonpath"] == [str(conf.parent / "lib")]
    assert "worker_tmp_dir" not in made and "GREETING" not in made
    assert "left out: " + str(conf) + ": worker_tmp_dir has no meaning here" in done.stderr
    assert 'workers = min(multiprocessing.cpu_count(), 1) + 1, now 2' in done.stderr
    # What comes out is a file that serves.
    server = start("-k", "sync", "--pythonpath", f"{conf.parent},{conf.parent}/lib", "conf_app:app", config=made)
    assert server.get().text == "1 a=b yes beside"
    server.wait_log("ready in the conf file")


def test_migrate_names_what_it_leaves_out(command, tmp_path):
    conf = tmp_path / "gunicorn.conf.py"
    conf.write_text(
        "protocol = 'uwsgi'\nworkers = 3\nworker_tmp_dir = '/dev/shm'\nraw_paste_global_conf = ['a=b']\n"
        "def post_fork(server, worker): pass\ndef on_dirty_starting(arbiter): pass\n"
    )
    done = command("--migrate", conf)
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"workers": 3, "hooks": {"post_fork": f"{conf}:post_fork"}}
    for name in ("protocol", "worker_tmp_dir", "raw_paste_global_conf", "on_dirty_starting"):
        assert any("left out" in line and name in line for line in done.stderr.splitlines()), name


def test_migrate_fails_with_the_file(command, tmp_path):
    conf = tmp_path / "gunicorn.conf.py"
    conf.write_text("raise ValueError('not now')\n")
    done = command("--migrate", conf)
    assert (done.returncode, done.stdout) == (2, "")
    assert "line 1: ValueError: not now" in done.stderr
    assert command("--migrate", tmp_path / "nothing.py").returncode == 2
    done = command("--migrate", tmp_path / "unicoro.json")
    assert (done.returncode, "is not a settings file of gunicorn" in done.stderr) == (2, True)
