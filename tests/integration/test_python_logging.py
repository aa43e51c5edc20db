# SPDX-License-Identifier: MIT
"""gunicorn's loggers as Python code finds them, and what may be done to them."""

import json
import os
import re
import sys
import threading
from pathlib import Path

import pytest

from harness.paths import BINARY, HELLO
from harness.waiting import wait_until

APPS = Path(__file__).parent / "python_apps"
CLASSES = [["-k", "sync"], ["-k", "async"], ["--threads", "2"], ["-k", "eventlet"], ["--preload"]]
LINE = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[%s\] \[%s\] %s"


@pytest.fixture
def serve(start, tmp_path):
    """serve(text of gunicorn.conf.py, flags..., app=...): the file is read with -c."""

    def make(text, *args, app="logging_probe:app", env=None, **more):
        conf = tmp_path / "gunicorn.conf.py"
        conf.write_text(text)
        return start(
            "-c", conf, "--pythonpath", APPS, "--python", sys.executable, *args, app,
            env={"PYTHONDONTWRITEBYTECODE": "1"} | (env or {}), **more,
        )

    return make


def paths(server):
    """What was asked for, by the access log."""
    return re.findall(r'"[A-Z]+ (\S+) HTTP', server.output())


def ask(server, *targets):
    with server.client() as client:
        for each in targets:
            client.get(each)


@pytest.mark.parametrize("worker", CLASSES)
def test_the_recipe(serve, worker):
    server = serve("", *worker)
    (pid,) = server.workers()
    assert server.get("/say").status == 200
    for level, text in (("INFO", "INFO-LINE"), ("WARNING", "WARN-LINE")):
        assert re.search(LINE % (pid, level, text + "\n"), server.log()), server.log()
    assert "DEBUG-LINE" not in server.log()


def test_the_level_is_that_of_the_settings(serve):
    server = serve("loglevel = 'warning'")
    server.get("/say")
    server.wait_log("WARN-LINE")
    assert "INFO-LINE" not in server.log()
    debug = serve("loglevel = 'debug'")
    debug.get("/say")
    debug.wait_log("DEBUG-LINE")


def test_an_asgi_application(serve):
    server = serve("accesslog = '-'", app="logging_probe:asgi")
    server.get("/say")
    for text in ("INFO-LINE", "to uvicorn", "to uvicorn.error"):
        server.wait_log(rf"\[INFO\] {text}\n")
    assert len(re.findall(r"to uvicorn\.error", server.log())) == 1


def test_traces_of_the_server(serve):
    server = serve("", "--name", "with space")
    facts = server.get("/facts").text.splitlines()
    assert facts[:5] == ["['LogHandler']", "20", "False", "[]", "False"]
    assert re.fullmatch(r"unicoro/\d+\.\d+\.\d+ \(gunicorn\)", facts[5])
    assert facts[6] == str(BINARY)
    assert facts[7:9] == ["-c", str(server.folder / "gunicorn.conf.py")]
    assert facts[-3:] == ["--name", "with space", "logging_probe:app"]


def test_the_environment_of_the_settings_wins(serve):
    server = serve("raw_env = ['SERVER_SOFTWARE=mine']")
    assert server.get("/facts").text.splitlines()[5] == "mine"


def test_to_a_file_and_reopened(serve, tmp_path):
    """Both logs of the server, and a file that the application's logging writes to."""
    config = {
        "version": 1, "disable_existing_loggers": False,
        "handlers": {"file": {"class": "logging.FileHandler", "filename": "own.log"}},
        "loggers": {"own": {"handlers": ["file"]}}, "root": {"handlers": []},
    }
    server = serve(
        f"errorlog = 'error.log'\naccesslog = 'access.log'\nlogconfig_dict = {config}\n"
        "def on_starting(server):\n    import logging\n    logging.getLogger('own').warning('of the master')\n"
    )
    server.error_log = tmp_path / "error.log"
    own, access = tmp_path / "own.log", tmp_path / "access.log"
    ask(server, "/own", "/access")
    assert own.read_text().splitlines() == ["of the master", "of a worker"]
    wait_until(lambda: "by hand" in access.read_text(), "a line by hand")
    for each in (own, access, server.error_log):
        each.rename(each.with_suffix(".old"))
    os.kill(server.pid, 10)  # USR1
    wait_until(lambda: own.exists() and access.exists() and server.error_log.exists(), "new files")
    (worker,) = server.workers()
    held = lambda pid: {os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir()}
    wait_until(lambda: not any("own.old" in each for each in held(worker) | held(server.pid)), "the old one is closed")
    ask(server, "/own", "/access")
    assert own.read_text().splitlines() == ["of a worker"]
    wait_until(lambda: "by hand" in access.read_text(), "a line by hand")


def test_captured_output_and_background(serve, tmp_path):
    server = serve("errorlog = 'error.log'\ncapture_output = True\naccesslog = '-'", env={"PYTHONUNBUFFERED": ""})
    server.error_log = tmp_path / "error.log"
    ask(server, "/print", "/say")
    server.wait_log("INFO-LINE")
    assert "printed\n" in server.log() and "printed to stderr\n" in server.log()


@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"], ["--threads", "4"]])
def test_lines_of_many_processes_are_whole(serve, tmp_path, worker):
    server = serve("errorlog = 'error.log'", "-w", "3", *worker)
    server.error_log = tmp_path / "error.log"
    clients = [threading.Thread(target=server.get, args=(f"/many?client{number}",)) for number in range(6)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    lines = [line for line in server.log().splitlines() if "client" in line]
    assert len(lines) == 6 * 4 * 50
    whole = re.compile(LINE % (r"\d+", "INFO", r"client\d \d+ x{2000}"))
    assert all(whole.fullmatch(line) for line in lines)


FILTER = """
import logging
accesslog = "-"
class NoHealth(logging.Filter):
    def filter(self, record):
        return "/health" not in record.getMessage()
"""
WAYS_TO_FILTER = {
    "at the top of the file": "logging.getLogger('gunicorn.access').addFilter(NoHealth())",
    "in on_starting": "def on_starting(server):\n    server.log.access_log.addFilter(NoHealth())",
    "in post_fork": "def post_fork(server, worker):\n    worker.log.access_log.addFilter(NoHealth())",
    "in post_worker_init, on the handler": (
        "def post_worker_init(worker):\n    worker.log.access_log.handlers[0].addFilter(NoHealth())"),
    "by the list": "def post_fork(server, worker):\n    logging.getLogger('gunicorn.access').filters.append(NoHealth())",
    "by atoms": (
        "def post_fork(server, worker):\n"
        "    worker.log.access_log.addFilter(lambda record: record.args['U'] != '/health' and record.args['s'] == '200')"),
    "by a class's setup": (
        "from gunicorn import glogging\nclass Own(glogging.Logger):\n    def setup(self, cfg):\n"
        "        super().setup(cfg)\n        self.access_log.addFilter(NoHealth())\nlogger_class = Own"),
    "by a class's access": (
        "from gunicorn.glogging import Logger\nclass Own(Logger):\n    def access(self, resp, req, environ, took):\n"
        "        if environ['PATH_INFO'] == '/health' or req.path == '/health':\n            return\n"
        "        assert resp.status == '200 OK' and took.total_seconds() < 5\n"
        "        super().access(resp, req, environ, took)\nlogger_class = Own"),
    "by a class's name": "logger_class = 'own_logger.Own'",
    "by dictionary": (
        "logconfig_dict = {'version': 1, 'disable_existing_loggers': False, 'filters': {'h': {'()': NoHealth}},"
        " 'handlers': {'out': {'class': 'logging.StreamHandler', 'stream': 'ext://sys.stdout', 'filters': ['h']}},"
        " 'loggers': {'gunicorn.access': {'handlers': ['out'], 'propagate': False}}, 'root': {'handlers': []}}"),
}
OWN_LOGGER = """
from gunicorn.glogging import Logger
class Own(Logger):
    def access(self, resp, req, environ, request_time):
        if environ["RAW_URI"] != "/health":
            super().access(resp, req, environ, request_time)
"""


@pytest.mark.parametrize("way", list(WAYS_TO_FILTER))
@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"]])
def test_health_checks_are_left_out(serve, tmp_path, way, worker):
    (tmp_path / "own_logger.py").write_text(OWN_LOGGER)
    server = serve(FILTER + WAYS_TO_FILTER[way], *worker)
    ask(server, "/one", "/health", "/two?a=b")
    wait_until(lambda: len(paths(server)) == 2, "two lines")
    assert server.stop() == 0
    assert paths(server) == ["/one", "/two?a=b"]
    usual = r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /one HTTP/1\.1" 200 4 "-" "-"'
    assert re.fullmatch(usual, server.output().splitlines()[0])


def test_a_filter_that_comes_with_a_request(serve):
    server = serve("accesslog = '-'")
    ask(server, "/health", "/filter", "/health", "/end")
    wait_until(lambda: "/end" in paths(server), "the last line")
    assert paths(server) == ["/health", "/end"] or paths(server) == ["/health", "/filter", "/end"]


def test_what_a_logger_class_makes_of_a_line(serve):
    server = serve(
        "from gunicorn.glogging import Logger\naccesslog = '-'\n"
        "access_log_format = '%(h)s|%(own)5.1f|%(r)s|%(s)s|%({x-one}i)s|%({X-Answer}o)s|%({server_protocol}e)s|%(no)s'\n"
        "class Own(Logger):\n    access_fmt = 'A %(message)s'\n"
        "    def atoms(self, resp, req, environ, request_time):\n"
        "        environ['REMOTE_ADDR'] = environ.get('HTTP_X_FORWARDED_FOR', '?')\n"
        "        return super().atoms(resp, req, environ, request_time) | {'own': 2.25}\n"
        "logger_class = Own\n"
    )
    with server.client() as client:
        client.get("/a%20b?c", headers=[("X-One", 'say "1"'), ("X-Forwarded-For", "10.0.0.1\t")])
    line = 'A 10.0.0.1|  2.2|GET /a%20b?c HTTP/1.1|200|say \\"1\\"|yes|HTTP/1.1|-\n'
    wait_until(lambda: server.output() == line, "the line")
    assert "warning" not in server.log().lower()


def test_masked_values(serve):
    """A filter may change what a line is made of."""
    server = serve(
        "accesslog = '-'\ndef post_fork(server, worker):\n    def mask(record):\n"
        "        record.args['r'] = record.args['r'].split('?')[0]\n        return True\n"
        "    worker.log.access_log.addFilter(mask)\n"
    )
    ask(server, "/token?secret")
    wait_until(lambda: server.output(), "a line")
    assert '"GET /token"' in server.output() and "secret" not in server.output()


JSON_CLASS = """
import json, logging
from gunicorn.glogging import Logger
accesslog = "-"
class Form(logging.Formatter):
    def format(self, record):
        status = record.args["s"] if record.name == "gunicorn.access" else None
        told = {"name": record.name, "text": record.getMessage(), "status": status, "error": None}
        if record.exc_info:
            told["error"] = record.exc_info[0].__name__
        return json.dumps(told)
class Own(Logger):
    def setup(self, cfg):
        super().setup(cfg)
        self._set_handler(self.error_log, cfg.errorlog, Form())
        self._set_handler(self.access_log, cfg.accesslog, Form())
logger_class = Own
"""


@pytest.mark.parametrize("app", ["logging_probe:app", "logging_probe:asgi"])
def test_json_lines_and_errors_of_requests(serve, app):
    server = serve(JSON_CLASS, app=app)
    ask(server, "/say", "/raise")
    wait_until(lambda: server.output().count("\n") == 2, "two lines")
    first, second = map(json.loads, server.output().splitlines())
    assert (first["name"], first["status"], second["status"]) == ("gunicorn.access", "200", "500")
    told = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    assert {"name": "recipe", "text": "INFO-LINE", "status": None, "error": None} in told
    assert {"name": "gunicorn.error", "text": "Error handling request GET /raise", "status": None, "error": "ValueError"} in told
    assert "Traceback" not in server.log()
    server.wait_log("the server writes its own messages as they are")


def test_errors_stay_with_the_server_where_nothing_was_shaped(serve):
    server = serve("")
    server.allow("Error handling request GET /raise|Traceback|ValueError: on purpose")
    server.get("/raise")
    assert re.search(r"\[ERROR\] Error handling request GET /raise\nTraceback", server.log())
    assert server.log().count("on purpose") == 2  # the raise and the exception


def test_files_for_logging(serve, tmp_path):
    (tmp_path / "log.json").write_text(json.dumps({
        "version": 1, "disable_existing_loggers": False,
        "formatters": {"own": {"format": "JSON %(name)s %(message)s"}},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "own", "stream": "ext://sys.stdout"}},
        "loggers": {name: {"handlers": ["out"], "propagate": False} for name in ("gunicorn.error", "gunicorn.access")},
        "root": {"handlers": []},
    }))
    (tmp_path / "log.ini").write_text(
        "[loggers]\nkeys=root,access\n[handlers]\nkeys=out\n[formatters]\nkeys=own\n"
        "[logger_root]\nhandlers=\n[logger_access]\nqualname=gunicorn.access\nhandlers=out\npropagate=0\n"
        "[handler_out]\nclass=StreamHandler\nformatter=own\nargs=(sys.stdout,)\n[formatter_own]\nformat=INI %(message)s\n"
    )
    ini = serve("", "--log-config", tmp_path / "log.ini")
    ask(ini, "/one")
    wait_until(lambda: re.match(r'INI 127\.0\.0\.1 .*"GET /one', ini.output()), "the line")
    both = serve("", "--log-config", tmp_path / "log.ini", "--log-config-json", tmp_path / "log.json")
    ask(both, "/say")
    wait_until(lambda: re.search(r'^JSON gunicorn\.access 127.*"GET /say', both.output(), re.M), "the line")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("logconfig_dict = {'version': 2}", "logconfig_dict: Python's logging cannot be configured with it"),
        ("logconfig_dict = {'version': 1, 'root': {'handlers': ['none']}}", "Unable to configure root logger"),
        ("logger_class = 'logging_probe.NoHealth'", "TypeError"),
    ],
)
def test_logging_that_cannot_be_set_up(serve, text, message):
    server = serve(text, ready=False)
    server.allow(".")
    assert server.wait_exit() == 3
    assert message in server.log()


def test_a_check_leaves_no_log_files(command, tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text(
        "logconfig_dict = {'version': 1, 'handlers': {'f': {'class': 'logging.FileHandler', 'filename': 'own.log'}},"
        " 'root': {'handlers': ['f']}}"
    )
    done = command("--check-config", "--pythonpath", APPS, "logging_probe:app", env={"PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "own.log").exists()


def test_a_dictionary_of_the_application_that_disables_others(serve):
    """disable_existing_loggers is its default: the server's own lines are not silenced by it."""
    server = serve("accesslog = '-'")
    server.allow("Error handling request GET /raise|Traceback|ValueError")
    ask(server, "/disable", "/after", "/raise")
    wait_until(lambda: paths(server) == ["/disable", "/after", "/raise"], "three lines")
    assert "ValueError: on purpose" in server.log()


@pytest.mark.parametrize("lifespan", [True, False])
def test_filters_of_uvicorns_access_log(serve, lifespan):
    conf = "accesslog = '-'\n" + (
        "" if lifespan else
        "import logging\ndef post_fork(server, worker):\n"
        "    logging.getLogger('uvicorn.access').addFilter(lambda record: record.getMessage().find('/health') < 0)\n")
    env = {"FILTER_IN_LIFESPAN": "1"} if lifespan else None
    server = serve(conf, app="logging_probe:asgi", env=env)
    ask(server, "/one", "/health", "/two")
    wait_until(lambda: "/two" in paths(server), "the last line")
    assert paths(server) == ["/one", "/two"]


UVICORN_RECIPES = {
    "access lines in the error log": (
        "logging.getLogger('uvicorn.access').handlers = logging.getLogger('gunicorn.error').handlers",
        None, r'\[INFO\] 127\.0\.0\.1 - - .*"GET /say HTTP/1.1" 200'),
    "a handler of one's own": (
        "own = logging.StreamHandler()\n    own.setFormatter(logging.Formatter('OWN %(message)s'))\n"
        "    logging.getLogger('uvicorn').addHandler(own)",
        r"\[INFO\] to uvicorn\n", r"^OWN to uvicorn$"),
    "another form": (
        "for each in logging.getLogger('uvicorn.error').handlers:\n"
        "        each.setFormatter(logging.Formatter('FORM %(levelname)s %(message)s'))",
        None, r"^FORM INFO to uvicorn\.error$"),
    "everything to the root": (
        "logging.basicConfig(level=20, format='ROOT %(name)s %(message)s')\n"
        "    for name in ('uvicorn', 'uvicorn.error', 'uvicorn.access'):\n"
        "        logging.getLogger(name).handlers.clear()\n        logging.getLogger(name).propagate = True",
        r"\[INFO\] to uvicorn", r'^ROOT uvicorn\.access 127\.0\.0\.1.*"GET /say'),
}


@pytest.mark.parametrize("recipe", list(UVICORN_RECIPES))
def test_recipes_for_uvicorns_loggers(serve, recipe):
    code, never, wanted = UVICORN_RECIPES[recipe]
    server = serve(f"import logging\ndef post_worker_init(worker):\n    {code}\n", app="logging_probe:asgi")
    server.get("/say")
    server.wait_log(f"(?m){wanted}")
    if never is not None:
        assert not re.search(never, server.log()), server.log()


def test_a_handler_that_waits_under_greenlets(serve):
    """It has a greenlet to wait in; no line is lost at the end."""
    server = serve(
        "import logging, time\naccesslog = '-'\nworker_class = 'gevent'\nclass Slow(logging.StreamHandler):\n"
        "    def emit(self, record):\n        time.sleep(0.05)\n        print('slow', record.getMessage(), flush=True)\n"
        "def post_worker_init(worker):\n    worker.log.access_log.addHandler(Slow())\n"
    )
    ask(server, *(f"/{number}" for number in range(10)))
    assert server.stop() == 0
    assert sorted(re.findall(r'slow .*"GET /(\d)', server.output())) == [str(number) for number in range(10)]


def test_a_reload_takes_the_level_to_hooks_too(serve, tmp_path):
    conf = "loglevel = '%s'\ndef on_starting(server): pass\ndef post_fork(server, worker):\n    worker.log.debug('forked')\n"
    server = serve(conf % "info")
    before = server.workers()
    (tmp_path / "gunicorn.conf.py").write_text(conf % "debug")
    os.kill(server.pid, 1)
    server.wait_log(r"\[DEBUG\] forked")
    server.wait_log("Reload complete")
    wait_until(lambda: server.workers() and not set(before) & set(server.workers()), "the new worker alone")
    server.get("/say")
    server.wait_log("DEBUG-LINE")


def test_native_applications_have_none(start):
    server = start(HELLO, config={"logconfig_dict": {"version": 1}})
    server.wait_log("logger_class and logconfig have no effect")
