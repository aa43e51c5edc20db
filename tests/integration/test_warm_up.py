# SPDX-License-Identifier: MIT
"""warm_up: requests that a worker answers before it counts as ready."""

import json
import signal
import sys

import pytest

from harness.mixed_load import MixedLoad
from harness.paths import ROOT, probe
from harness.waiting import LONG, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
CLASSES = {
    "sync": ["-k", "sync", "recycle_probe:application"],
    "threads": ["--threads", "2", "recycle_probe:application"],
    "gevent": ["-k", "async", "recycle_probe:application"],
    "eventlet": ["-k", "eventlet", "recycle_probe:application"],
    "asgi": ["-k", "async", "--interface", "asgi", "recycle_probe:asgi"],
}


@pytest.fixture(params=CLASSES)
def warm(request, start):
    """Starts a server of this class."""
    if request.param in ("gevent", "eventlet"):
        pytest.importorskip(request.param, exc_type=ImportError)

    def serve(*args, **more):
        return start("--python", sys.executable, "--pythonpath", APPS, *CLASSES[request.param], *args,
                     env={"PYTHONDONTWRITEBYTECODE": "1"}, **more)

    return serve


def test_is_answered_first(warm, tmp_path):
    access = tmp_path / "access.log"
    server = warm("--warm-up", "/one", "--warm-up", "https://shop.example/two?x=1", "--warm-up", "/big",
                  "--access-logfile", access, "--max-requests", "2", "--proxy-protocol")
    pid, seen = json.loads(server.get("/seen").text)
    assert seen[:3] == [["/one", "localhost", "http"], ["/two", "shop.example", "https"],
                        ["/big", "localhost", "http"]]
    server.wait_log(r"\[INFO\] Warm-up: GET /one was answered 200 in 0\.\d+ s")
    wait_until(lambda: "GET /seen" in access.read_text(), "the access line")
    assert "/one" not in access.read_text() and "/two" not in access.read_text()
    # What warms up counts for no limit: this is the second request.
    assert json.loads(server.get("/seen").text)[0] == pid


@pytest.mark.parametrize("path, told", [
    ("/cold", r"GET /cold was answered 503, after 0\.\d+ s"),
    ("/broken", r"GET /broken was answered 500, after 0\.\d+ s"),
    # Where nothing has been sent yet, the answer is another one.
    ("/cut", r"GET /cut(: the answer 200 ended too soon| was answered 500)"),
])
def test_a_bad_answer_is_a_failure_to_boot(warm, path, told):
    server = warm("--warm-up", "/one", "--warm-up", path, "--warm-up", "/never", ready=False)
    server.allow("Warm-up failed|failed to boot|exited with code|Traceback|broken|cut short|Exception|GET /")
    assert server.wait_exit() == 3
    assert server.wait_log(r"\[ERROR\] Warm-up failed: " + told)
    assert "/never" not in server.log()
    assert "Worker ready" not in server.log()


def test_a_slow_answer_is_named(warm):
    server = warm("--warm-up", "/stuck", "--boot-timeout", "1.5", "--graceful-timeout", "1", ready=False)
    server.allow("boot_timeout|In flight|SIGABRT|SIGKILL|Current thread|File|exited|Thread|Error handling|Traceback|RequestCancelled")
    server.wait_log(r"\[ERROR\] Worker \(pid:\d+\) is not ready after boot_timeout \(1\.5 s\)", 2 * LONG)
    server.wait_log(r"\[ERROR\] In flight in worker \(pid:\d+\): GET /stuck for \d\.\d s")


def test_a_native_application(start):
    server = start("--warm-up", "/pid", probe())
    server.wait_log(r"Warm-up: GET /pid was answered 200")
    assert server.get("/pid").status == 200


def test_what_is_not_found_is_told_and_will_do(warm):
    server = warm("--warm-up", "/missing")
    server.wait_log(r"\[WARNING\] Warm-up: GET /missing was answered 404 in")


def test_a_reload_that_stays_cold_changes_nothing(start, tmp_path):
    settings = {"app": "recycle_probe:application", "pythonpath": [str(APPS)], "python": sys.executable,
                "workers": 4, "threads": 2, "warm_up": ["/one"]}
    server = start(config=settings, env={"PYTHONDONTWRITEBYTECODE": "1"})
    server.allow("Warm-up failed|Reload failed|exited with code")
    before = server.workers()
    with MixedLoad(server.address, ("kept", "each"), clients=2) as load:
        load.wait_more(5)
        file = next(tmp_path.rglob("unicoro.json"))
        file.write_text(json.dumps(settings | {"warm_up": ["/cold"]}))
        server.send(signal.SIGHUP)
        server.wait_log(r"Reload failed: Worker failed to boot\.")
        wait_until(lambda: server.workers() == before, "the workers that were")
        file.write_text(json.dumps(settings | {"warm_up": ["/two"]}))
        server.send(signal.SIGHUP)
        server.wait_log("Reload complete")
        load.wait_more(5)
    load.check()


def test_what_is_no_path_is_refused(command):
    for wrong in ("health", "http:///x", "/a b"):
        done = command("--check-config", "--warm-up", wrong, probe())
        assert done.returncode != 0
        assert '--warm-up: must be' in done.stderr or "such as" in done.stderr, done.stderr
