# SPDX-License-Identifier: MIT
"""The server under agents that bring their own start: tracers, coverage, a debugger. docs/programs.md has the table.

They start threads in the master before it forks, and patch what they find.
"""

import ctypes
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from harness import agents, processes, programs
from harness.paths import BINARY
from harness.waiting import LONG, wait_until

APPS = Path(__file__).parent / "python_apps"
CLASSES = {"sync": ["-k", "sync"], "threads": ["--threads", "2"], "async": ["-k", "async"]}
PATIENCE = 6 * LONG
# Their native code is not ours to sanitize, and takes its time.
pytestmark = pytest.mark.needs_plain_build("agents")
STARTS = int(os.environ.get("UNICORO_AGENT_STARTS", "3"))


class Intake(http.server.BaseHTTPRequestHandler):
    """What ddtrace sends its traces to."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        length = int(self.headers.get("Content-Length") or 0)
        while self.headers.get("Transfer-Encoding") == "chunked":
            size = int(self.rfile.readline(), 16)
            self.rfile.read(size + 2)
            if size == 0:
                break
        self.rfile.read(length)
        self.server.traces.append((self.path, self.headers.get("X-Datadog-Trace-Count")))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET = do_PUT

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def intake():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Intake)
    server.traces = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()


def opentelemetry():
    variables = {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
    return [str(agents.HOME / "bin" / "opentelemetry-instrument")], variables


def ddtrace():
    variables = {"DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false"}
    return [str(agents.HOME / "bin" / "ddtrace-run")], variables


def newrelic():
    variables = {
        "NEW_RELIC_LICENSE_KEY": "0" * 40, "NEW_RELIC_APP_NAME": "probe", "NEW_RELIC_DEVELOPER_MODE": "true",
        "NEW_RELIC_STARTUP_TIMEOUT": "10",
    }
    return [str(agents.HOME / "bin" / "newrelic-admin"), "run-program"], variables


TRACERS = {each.__name__: each for each in (opentelemetry, ddtrace, newrelic)}
FORMS = {"executable": [str(BINARY)], "module": [str(agents.PYTHON), "-m", "unicoro"]}


@pytest.fixture
def traced(start, intake):
    def make(tracer, form, *args):
        agents.need(tracer)
        command, more = TRACERS[tracer]()
        return start(
            "--pythonpath", APPS, "-w", "2", *args, "agent_probe:app", command=[*command, *FORMS[form]],
            env=agents.environment(DD_TRACE_AGENT_URL=f"http://127.0.0.1:{intake.server_port}", **more), ready=False,
        ).wait_ready(PATIENCE)

    return make


def traced_by(server, tracer):
    """The answer to the first request that the agent takes part in: some begin in the background."""
    return wait_until(
        lambda: (told := json.loads(server.get("/").text))[tracer] and told, f"{tracer} takes part", PATIENCE
    )


def replaced(server, before):
    """Waits until other workers than those have taken over."""
    count = len(before)
    wait_until(
        lambda: len(now := server.workers()) == count and not set(before) & set(now), "new workers have come", PATIENCE
    )


@pytest.mark.parametrize("worker", CLASSES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tracer", TRACERS)
def test_a_tracer(traced, intake, tracer, form, worker):
    intake.traces.clear()
    server = traced(tracer, form, *CLASSES[worker])
    first = set(server.workers())
    assert traced_by(server, tracer)["pid"] in first
    server.send(signal.SIGHUP)
    replaced(server, first)
    assert traced_by(server, tracer)["pid"] not in first
    assert server.stop(PATIENCE) == 0
    if tracer == "ddtrace":
        assert any("traces" in path and count not in (None, "0") for path, count in intake.traces), intake.traces
    if tracer == "opentelemetry":
        # Those of both, at the latest when their workers ended.
        assert len(re.findall(r'"name": "GET /"', server.output())) == 2


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tracer", TRACERS)
def test_starts_and_stops(traced, tracer, form):
    """Threads of the agent live in the master while it forks, and in whoever ends."""
    for number in range(STARTS):
        server = traced(tracer, form)
        assert server.get("/").status == 200
        server.send([signal.SIGTERM, signal.SIGINT, signal.SIGQUIT][number % 3])
        assert server.wait_exit(PATIENCE) == 0, server.log()
        server.check_log()


@pytest.mark.parametrize("form", FORMS)
def test_a_signal_that_meets_a_thread(start, tmp_path, form):
    """The master takes signals, whichever of its threads the kernel gives them to."""
    agents.need()
    (tmp_path / "sitecustomize.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    server = start(
        "--pythonpath", APPS, "agent_probe:app", command=FORMS[form],
        env=agents.environment(PYTHONPATH=f"{tmp_path}:{programs.MODULES}"), ready=False,
    ).wait_ready(PATIENCE)
    before = set(server.workers())
    thread, = (int(each) for each in os.listdir(f"/proc/{server.pid}/task") if int(each) != server.pid)
    tgkill(server.pid, thread, signal.SIGHUP)
    replaced(server, before)
    tgkill(server.pid, thread, signal.SIGTERM)
    assert server.wait_exit(PATIENCE) == 0


def tgkill(group, thread, number):
    if ctypes.CDLL(None, use_errno=True).tgkill(group, thread, int(number)) != 0:
        raise OSError(ctypes.get_errno(), "tgkill")


# coverage


def lines_covered(folder):
    subprocess.run([agents.PYTHON, "-m", "coverage", "combine"], cwd=folder, check=True, capture_output=True)
    subprocess.run([agents.PYTHON, "-m", "coverage", "json", "-o", "found.json"], cwd=folder, check=True, capture_output=True)
    files = json.loads((folder / "found.json").read_text())["files"]
    return set(next(each["executed_lines"] for name, each in files.items() if name.endswith("agent_probe.py")))


def line_of(text):
    lines = (APPS / "agent_probe.py").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


COVERED = {
    "sync": ("thread", ["-k", "sync"]),
    "threads": ("thread", ["--threads", "2"]),
    "async": ("gevent", ["-k", "async"]),
}


@pytest.mark.parametrize("worker", COVERED)
@pytest.mark.parametrize("end", ["stop", "reload"])
def test_coverage(start, tmp_path, worker, end):
    """The data of each worker is saved: it ends like any program."""
    agents.need("coverage")
    concurrency, args = COVERED[worker]
    (tmp_path / ".coveragerc").write_text(f"[run]\nparallel = true\nconcurrency = {concurrency}\n")
    server = start(
        "--pythonpath", APPS, *args, "agent_probe:app",
        command=[str(agents.PYTHON), "-m", "coverage", "run", "-p", "-m", "unicoro"], env=agents.environment(),
        ready=False,
    ).wait_ready(PATIENCE)
    assert json.loads(server.get("/covered/4").text)["answer"] == 8
    if end == "reload":
        first = set(server.workers())
        server.send(signal.SIGHUP)
        replaced(server, first)
        assert server.get("/covered/1").status == 200
    assert server.stop(PATIENCE) == 0
    files = sorted(tmp_path.glob(".coverage.*"))
    assert len(files) == (3 if end == "reload" else 2), files
    assert line_of("answer = number * 2") in lines_covered(tmp_path)


# debugpy


class Editor:
    """A client of the Debug Adapter Protocol, as an editor is one."""

    def __init__(self, port, **attach):
        self._socket = wait_until(lambda: self._connect(port), "debugpy listens")
        self._stream = self._socket.makefile("rwb")
        self._sent = 0
        self.send("initialize", adapterID="debugpy", clientID="test", pathFormat="path")
        self.until("response", "initialize")
        self.send("attach", **{**attach, "justMyCode": False})
        self.until("event", "initialized")
        place = {"path": str(APPS / "agent_probe.py")}
        self.send("setBreakpoints", source=place, breakpoints=[{"line": line_of("answer = number * 2")}])
        self.until("response", "setBreakpoints")
        self.send("configurationDone")

    @classmethod
    def when_ready(cls, port):
        """The adapter takes clients before it knows the program, and then lets go of them."""
        try:
            return cls(port)
        except (ConnectionError, json.JSONDecodeError):
            return None

    @staticmethod
    def _connect(port):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=LONG)
        except ConnectionRefusedError:
            return None

    def send(self, command, **arguments):
        self._sent += 1
        message = {"seq": self._sent, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self._stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._stream.flush()

    def _receive(self):
        length = 0
        while line := self._stream.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(self._stream.read(length))

    def until(self, kind, name):
        while True:
            message = self._receive()
            if message["type"] == kind and name in (message.get("event"), message.get("command")):
                return message.get("body")

    def close(self):
        self._stream.close()
        self._socket.close()


def meet_breakpoint(server, port):
    master = wait_until(lambda: Editor.when_ready(port), "the adapter knows the master")
    in_worker = Editor(port, **master.until("event", "debugpyAttach"))
    server.wait_ready()
    answers = []

    def ask():
        with server.client() as client:
            answers.append(json.loads(client.get("/covered/4").text))

    asking = threading.Thread(target=ask)
    asking.start()
    thread = in_worker.until("event", "stopped")["threadId"]
    in_worker.send("stackTrace", threadId=thread)
    frame = in_worker.until("response", "stackTrace")["stackFrames"][0]
    in_worker.send("continue", threadId=thread)
    asking.join()
    for each in (in_worker, master):
        each.send("disconnect")
        each.close()
    return frame, answers[0]


@pytest.mark.parametrize("worker", CLASSES)
def test_debugpy(start, worker):
    """A breakpoint in the application is met in the worker, whom the editor is told of.

    On a busy machine debugpy now and then loses a process that is forked while it is attached to (under gunicorn as
    often as here), so that this may begin again.
    """
    agents.need("debugpy")
    for attempts_left in reversed(range(6)):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        server = start(
            "--pythonpath", APPS, *CLASSES[worker], "--timeout", "0", "agent_probe:app",
            # As debugpy asks for where gevent is.
            env=agents.environment(**({"GEVENT_SUPPORT": "True"} if worker == "async" else {})), ready=False,
            command=[
                str(agents.PYTHON), "-m", "debugpy", "--listen", f"127.0.0.1:{port}", "--wait-for-client", "-m",
                "unicoro",
            ],
        )
        try:
            frame, answer = meet_breakpoint(server, port)
            break
        except (OSError, AssertionError, json.JSONDecodeError):
            server.child.destroy()
            processes.reap_helpers()
            if not attempts_left:
                raise
    assert (frame["name"], frame["line"]) == ("covered", line_of("answer = number * 2"))
    assert answer["answer"] == 8 and answer["pid"] in server.workers()
    assert server.stop(PATIENCE) == 0
    processes.reap_helpers()
