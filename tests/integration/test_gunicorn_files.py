# SPDX-License-Identifier: MIT
"""Settings files as people have them for gunicorn: each is taken, with a warning at the most."""

import json
import os
import re
import sys

import pytest

from harness.waiting import wait_until

APP = """
import os
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
WORKERS = """
from uvicorn.workers import UvicornWorker
from gunicorn.workers.ggevent import GeventWorker
class Asgi(UvicornWorker):
    CONFIG_KWARGS = {"loop": "asyncio", "lifespan": "off"}
class Patched(GeventWorker):
    def patch(self):
        super().patch()
class Plain(GeventWorker):
    pass
"""
EVERY_DEFAULT = """
import os, ssl
wsgi_app = None
bind = ["127.0.0.1:8000"]
backlog, workers, threads, worker_connections = 2048, 1, 1, 1000
worker_class = "sync"
max_requests = max_requests_jitter = 0
timeout = graceful_timeout = 30
keepalive = 2
limit_request_line, limit_request_fields, limit_request_field_size = 4094, 100, 8190
reload = spew = check_config = print_config = preload_app = reuse_port = daemon = initgroups = False
reload_engine, reload_extra_files, sendfile, chdir, raw_env = "auto", [], None, os.getcwd(), []
pidfile = worker_tmp_dir = tmp_upload_dir = None
user, group, umask = os.geteuid(), os.getegid(), 0
secure_scheme_headers = {"X-FORWARDED-PROTOCOL": "ssl", "X-FORWARDED-PROTO": "https", "X-FORWARDED-SSL": "on"}
forwarded_allow_ips = proxy_allow_ips = uwsgi_allow_ips = "127.0.0.1,::1"
accesslog = None
disable_redirect_access_to_syslog = capture_output = enable_stdio_inheritance = syslog = enable_backlog_metric = False
access_log_format = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'
errorlog, loglevel, logger_class = "-", "info", "gunicorn.glogging.Logger"
logconfig = logconfig_json = syslog_prefix = statsd_host = proc_name = pythonpath = paste = None
logconfig_dict, syslog_addr, syslog_facility = {}, "udp://localhost:514", "user"
dogstatsd_tags = statsd_prefix = root_path = ""
raw_paste_global_conf = []
proxy_protocol, protocol = False, "http"
keyfile = certfile = ca_certs = ciphers = None
cert_reqs, suppress_ragged_eofs, do_handshake_on_connect = ssl.CERT_NONE, True, False
http_protocols, http2_cleartext, http2_max_concurrent_streams, http2_initial_window_size = "h1", "off", 100, 65535
http2_max_frame_size, http2_max_header_list_size = 16384, 65536
permit_obsolete_folding = strip_header_spaces = permit_unconventional_http_method = False
permit_unconventional_http_version = casefold_http_method = False
forwarder_headers, header_map = "SCRIPT_NAME,PATH_INFO", "drop"
asgi_loop = asgi_lifespan = http_parser = "auto"
asgi_disconnect_grace_period, websocket_max_message_size = 3, 16777216
dirty_apps, dirty_workers, dirty_timeout, dirty_threads, dirty_graceful_timeout = [], 0, 300, 1, 30
control_socket_mode, control_socket_disable = 0o600, False
"""
# By what is tried: the file, and the warning it gets.
TAKEN = {
    "nothing": ("", None),
    "every default written out": (EVERY_DEFAULT, None),
    "None for what is not set": (
        "wsgi_app = bind = raw_env = user = group = pythonpath = accesslog = proxy_protocol = reload = post_fork = None", None),
    "a default that is none here": ("import os\ncontrol_socket = os.path.expanduser('~/.gunicorn/gunicorn.ctl')",
                                    "there is no control socket"),
    "another default": ("default_proc_name = 'gunicorn'", "default_proc_name has no meaning here"),
    "TLS version": ("import ssl\nssl_version = ssl.PROTOCOL_TLS", "ssl_version has no meaning here"),
    "TLS version as text": ("ssl_version = 'TLSv1_2'", "ssl_version has no meaning here"),
    "what belongs to TLS": ("import ssl\ncert_reqs = ssl.CERT_REQUIRED\nciphers = 'TLSv1'\nca_certs = '/none'",
                            "without it the other settings of TLS have no effect"),
    "what belongs to syslog": ("syslog = False\nsyslog_addr = 'udp://logs:514'\nsyslog_prefix = 'x'\nsyslog_facility = 'daemon'",
                               "syslog: is off: without it the other settings of syslog have no effect"),
    "what belongs to statsd": ("import os\nstatsd_host = os.environ.get('NO_SUCH')\nstatsd_prefix = 'site'\ndogstatsd_tags = 'a:b'",
                               "statsd_host: is not given: without it the other settings of StatsD have no effect"),
    "what belongs to uwsgi": ("uwsgi_allow_ips = '10.0.0.1'", "it belongs to the uwsgi protocol"),
    "HTTP/2 without TLS": ("http_protocols = 'h2,h1'\nhttp2_max_concurrent_streams = 7", "has no effect without certfile"),
    "helper processes that are none": ("dirty_workers = 2\ndef dirty_post_fork(arbiter, worker): pass", "it belongs to dirty_apps"),
    "PasteDeploy's variables": ("raw_paste_global_conf = ['a=b']", "it belongs to paste"),
    "TLS's hook": ("def ssl_context(conf, factory): return factory()", "ssl_context is not called"),
    "the engine of reload": ("reload_engine = 'poll'", "reload_engine has no meaning here"),
    "True as a number": ("max_requests = False\nbacklog = True\ntimeout = False", None),
    "numbers as text": ("workers = '2'\ntimeout = '20'\nkeepalive = '5'\nlimit_request_line = '8190'", None),
    "numbers of the environment": ("import multiprocessing, os\nworkers = int(os.environ.get('N', multiprocessing.cpu_count() * 2 + 1))", None),
    "accounts as numbers": ("import os\nuser, group = os.getuid(), os.getgid()", None),
    "accounts by name": ("import os, pwd\nuser = pwd.getpwuid(os.getuid()).pw_name", None),
    "an account of nobody": ("user, group = 65534, 65534", None),
    "paths": ("import pathlib\nhere = pathlib.Path(__file__).parent\nchdir = here\npidfile = here / 'pid'\nerrorlog = here / 'log'", None),
    "levels": ("loglevel = 'WARNING'", None),
    "levels by their older names": ("loglevel = 'warn'", None),
    "tuples": ("bind = ('127.0.0.1:0',)\nraw_env = ('A=1', 'B=2')", None),
    "one string for a list": ("bind = '127.0.0.1:0'\nraw_env = 'A=1'", None),
    "an unknown atom": ("accesslog = '-'\naccess_log_format = '%(h)s %(nope)s %({x}i)s'", 'knows no atom "nope"'),
    "an application object": ("app = object()\nwsgi_app = 'app:app'", None),
    "names of ours for something else": ("import json as python\napps = ['one', 'two']", "so it is taken for something else"),
    "no threads": ("threads = 0", None),
    "names that are no settings": ("workers_max = 3\nfoo = object()\nclass X: pass\nlogfile = '-'", None),
    "a server by another name": ("import gunicorn\ngunicorn.SERVER_SOFTWARE = 'hidden'", None),
    "names for annotations": (
        "from gunicorn.arbiter import Arbiter\nfrom gunicorn.http.message import Request\nfrom gunicorn.config import Config\n"
        "from gunicorn.workers.base import Worker\ndef post_fork(server: Arbiter, worker: Worker) -> None: pass", None),
    "logging at the top": ("import logging.config\nlogging.config.dictConfig({'version': 1})", None),
}
CLASSES = {
    "sync": "sync",
    "egg:gunicorn#sync": "sync",
    "gunicorn.workers.sync.SyncWorker": "sync",
    "egg:gunicorn#gthread": "gthread",
    "gunicorn.workers.gthread.ThreadWorker": "gthread",
    "gevent_pywsgi": "async",
    "egg:gunicorn#gevent": "async",
    "egg:gunicorn#gevent_wsgi": "async",
    "gunicorn.workers.ggevent.GeventWorker": "async",
    "gunicorn.workers.ggevent.GeventPyWSGIWorker": "async",
    "geventwebsocket.gunicorn.workers.GeventWebSocketWorker": "async",
    "egg:gunicorn#eventlet": "eventlet",
    "gunicorn.workers.geventlet.EventletWorker": "eventlet",
    "gunicorn.workers.gasgi.ASGIWorker": "sync",
    "uvicorn.workers.UvicornWorker": "sync",
    "uvicorn.workers.UvicornH11Worker": "sync",
    "uvicorn_worker.UvicornWorker": "sync",
    "uvicorn_worker.UvicornH11Worker": "sync",
    "own_workers.Plain": "async",
    "own_workers.Patched": "async",
    "own_workers:Asgi": "sync",
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "own_workers.py").write_text(WORKERS)
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.fixture
def printed(command, folder):
    """What --print-config says of a file, and the messages."""

    def ask(text, *args):
        (folder / "gunicorn.conf.py").write_text(text + "\n")
        done = command("--print-config", "--python", sys.executable, *args, "app:app", env={"PYTHONDONTWRITEBYTECODE": "1"})
        assert done.returncode == 0, done.stderr
        lines = [line.partition(" = ") for line in done.stdout.splitlines()]
        return {name.strip(): value for name, _, value in lines}, done.stderr

    return ask


@pytest.mark.parametrize("what", list(TAKEN))
def test_files_that_gunicorn_takes(printed, what):
    text, warning = TAKEN[what]
    _, said = printed(text)
    assert "error" not in said and "Traceback" not in said
    if warning is None:
        assert said == ""
    else:
        assert warning in said


@pytest.mark.parametrize("name", list(CLASSES))
def test_worker_classes_by_all_their_names(printed, name):
    values, said = printed(f"worker_class = '{name}'")
    assert values["worker_class"] == CLASSES[name]
    values, also_said = printed("", "-k", name)
    assert values["worker_class"] == CLASSES[name]
    for message in (said, also_said):
        assert ("what it overrides has no effect here" in message) == (name in ("own_workers.Patched", "own_workers:Asgi"))


@pytest.mark.parametrize(
    ("text", "wanted", "warning"),
    [
        ("import uvicorn_worker\nworker_class = uvicorn_worker.UvicornWorker", "sync", None),
        ("from own_workers import Patched\nworker_class = Patched", "async", "own_workers.Patched"),
        ("from gunicorn.workers.gthread import ThreadWorker\nclass Own(ThreadWorker):\n    def run(self): pass\nworker_class = Own",
         "gthread", "served as gunicorn.workers.gthread.ThreadWorker is; what it overrides has no effect here: run"),
        ("from uvicorn.workers import UvicornWorker\nclass Own(UvicornWorker):\n"
         "    CONFIG_KWARGS = {**UvicornWorker.CONFIG_KWARGS, 'root_path': '/x'}\nworker_class = Own",
         "sync", "CONFIG_KWARGS (loop, http, root_path)"),
    ],
)
def test_worker_classes_themselves(printed, text, wanted, warning):
    values, said = printed(text)
    assert values["worker_class"] == wanted
    assert said == "" if warning is None else warning in said


def test_the_server_by_another_name(start, folder):
    conf = folder / "gunicorn.conf.py"
    conf.write_text("import gunicorn\ngunicorn.SERVER = 'undisclosed'\n")
    server = start("-c", conf, "--python", sys.executable, "app:app")
    assert server.get().header("Server") == "undisclosed"


HOOKS = """
import functools, json, os
def note(name, *facts):
    with open("notes", "a") as file:
        file.write(json.dumps([name, *facts]) + "\\n")
def of_server(server):
    cfg = server.cfg
    host, port = server.address[0]
    listener = server.LISTENERS[0]
    return dict(
        host=host, port=port, same=cfg.address == server.address, timeout=server.timeout, kind=server.worker_class.__name__,
        word=cfg.worker_class_str, number=server.num_workers, listeners=[str(each) for each in server.LISTENERS],
        bound=listener.getsockname()[1] == listener.sock.getsockname()[1], family=int(listener.family), tls=cfg.is_ssl,
        app=server.app.app_uri, name=server.proc_name, env=cfg.env, uid=cfg.uid, workers=cfg.settings["workers"].get(),
        pid=server.pid, level=server.log.loglevel, hook=callable(cfg.post_fork), none=cfg.pre_fork(1, 2),
        masters=(server.master_pid, server.reexec_pid, server.master_name), kept=sorted(server.WORKERS))
def on_starting(server):
    note("on_starting", of_server(server))
def when_ready(server):
    note("when_ready", of_server(server))
def post_fork(server, worker):
    note("post_fork", of_server(server), worker.age, worker.pid == os.getpid(), len(worker.sockets), worker.booted,
         type(worker).__name__, worker.cfg.workers, str(worker))
def post_worker_init(worker):
    note("post_worker_init", worker.wsgi.__name__, worker.app.callable is worker.wsgi, worker.app.wsgi() is worker.wsgi,
         worker.sockets[0].getsockname()[0])
def pre_request(worker, req):
    note("pre_request", req.method, req.uri, req.path, req.peer_addr[0], req.should_close(), worker.nr)
def post_request(worker, req, environ, resp):
    note("post_request", resp.status, resp.status_code, resp.response_length, resp.sent, resp.is_chunked(), resp.version)
def child_exit(server, worker):
    note("child_exit", worker.exitcode, worker.alive, worker.pid in server.WORKERS)
@functools.partial
def on_exit(server):
    try:
        server.pidfile2
    except AttributeError as error:
        note("on_exit", str(error))
nworkers_changed = "own_hooks.changed"
"""


def test_what_hooks_read(start, folder):
    (folder / "gunicorn.conf.py").write_text(HOOKS)
    (folder / "own_hooks.py").write_text("def changed(server, new, old):\n    open('changed', 'a').write(f'{new} {old}\\n')\n")
    server = start("-b", "127.0.0.1:0", "-w", "2", "-e", "A=b=c", "--python", sys.executable, "app:app", listen=False,
                   env={"PYTHONDONTWRITEBYTECODE": "1"})
    port = server.address[1]
    server.get("/path?query")
    killed = server.workers()[0]
    os.kill(killed, 9)
    server.allow(rf"orker \(pid:{killed}\)")
    notes = lambda name: [line[1:] for line in map(json.loads, (folder / "notes").read_text().splitlines()) if line[0] == name]
    wait_until(lambda: notes("child_exit"), "child_exit was called")
    expected = dict(
        host="127.0.0.1", port=0, same=True, timeout=30, kind="SyncWorker", word="sync", number=2,
        listeners=[f"http://127.0.0.1:{port}"], bound=True, family=2, tls=False, app="app:app", name="app:app",
        env={"A": "b=c"}, uid=os.getuid(), workers=2, pid=server.pid, level=20, hook=True, none=None, masters=[0, 0, "Master"])
    for name in ("on_starting", "when_ready", "post_fork"):
        told = notes(name)[0][0]
        kept = told.pop("kept")
        assert told == expected, name
        assert name != "when_ready" or len(kept) == 2
    assert notes("post_fork")[0][2:6] == [True, 1, False, "SyncWorker"]
    assert notes("post_worker_init")[0] == ["app", True, True, "127.0.0.1"]
    assert notes("pre_request")[0][:4] == ["GET", "/path?query", "/path", "127.0.0.1"]
    assert notes("post_request")[0] == ["200 OK", 200, 2, 2, False, "HTTP/1.1"]
    assert notes("child_exit")[0] == [-9, False, False]
    assert server.stop() == 0
    assert (folder / "changed").read_text().splitlines()[0] == "2 None"
    assert re.match("Server has no 'pidfile2' here: docs/migration.md", notes("on_exit")[0][0])


@pytest.mark.parametrize("hook", ["", "def post_fork(server, worker):\n    import time\n    time.sleep(0.01)\n"])
def test_a_file_that_patches(start, folder, hook):
    """The hub that it may make is not the one requests run on."""
    conf = folder / "gunicorn.conf.py"
    conf.write_text(f"from gevent import monkey\nmonkey.patch_all()\nworker_class = 'gevent'\n{hook}")
    server = start("-c", conf, "--pythonpath", folder, "--python", sys.executable, "app:app")
    assert server.get().text == "ok"


def test_a_greenlet_of_post_fork_lives(start, folder):
    conf = folder / "gunicorn.conf.py"
    conf.write_text(
        "worker_class = 'gevent'\ndef post_fork(server, worker):\n    import gevent\n    def beat():\n"
        "        gevent.sleep(0.05)\n        open('beat', 'w').close()\n    gevent.spawn(beat)\n"
    )
    start("-c", conf, "--pythonpath", folder, "--python", sys.executable, "app:app")
    wait_until(lambda: (folder / "beat").exists(), "the greenlet has run")
