# SPDX-License-Identifier: MIT
"""/metrics: what is counted, that it survives workers, and that Prometheus reads it."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from harness.certificates import TlsClient
from harness.client import Closed
from harness.frames import handshake
from harness.metrics import Monitor, gone_backwards, samples
from harness.paths import ROOT, probe
from harness.waiting import LONG, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
PYTHON = ("--python", sys.executable, "--pythonpath", APPS)
OPEN = [("Accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")]


@pytest.fixture
def watched(start, tmp_path):
    def make(*args, **more):
        path = tmp_path / "admin.sock"
        server = start("--admin-bind", f"unix:{path}", *args, **more)
        wait_until(path.exists, "the monitor's socket is there")
        return server, Monitor(path)

    return make


def counted(monitor, least: float, name: str, **labels) -> dict:
    """The metrics once that one has come to `least`: the master looks once a second."""
    key = (name, *sorted(labels.items()))
    return wait_until(lambda: (found := monitor.metrics()).get(key, 0) >= least and found, f"{key} >= {least}")


def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    return found


def test_promtool_has_nothing_to_say(watched):
    server, monitor = watched("-w", 2, probe())
    assert server.get("/").status == 200
    counted(monitor, 1, "unicoro_http_requests_total", application="/", **{"class": "2xx"})
    done = subprocess.run([promtool(), "check", "metrics"], input=monitor.text(), text=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_types_of_content(watched):
    _, monitor = watched(probe())
    plain = monitor.get("/metrics")
    assert plain.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    opened = monitor.get("/metrics", headers=OPEN)
    assert opened.header("Content-Type") == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert opened.text.endswith("# EOF\n")
    assert set(samples(plain.text)) == set(samples(opened.text))


def test_what_is_counted(watched):
    server, monitor = watched(*PYTHON, "-w", 2, "-k", "gthread", "--threads", 2, "--health-path", "/healthz",
                              "--queue-time", "stuck_probe:app")
    zero = monitor.metrics()
    for _ in range(5):
        assert server.get("/?bytes=1000").status == 200
    assert server.get("/?status=404%20Gone&bytes=10").status == 404
    for _ in range(2):
        assert server.get("/?status=503%20No&bytes=10").status == 503
    with server.client() as client:
        assert client.get("/", method="POST", body=b"x" * 50_000).status == 200
    assert server.get("/healthz").status == 200
    with server.client() as client:
        client.send("BAD REQUEST\r\n\r\n")
        assert client.response().status == 400
    found = counted(monitor, 1, "unicoro_http_requests_total", application="(server)", **{"class": "4xx"})

    def grown(name, **labels):
        key = (name, *sorted(labels.items()))
        return found[key] - zero[key]

    def requests(application, status):
        return grown("unicoro_http_requests_total", application=application, **{"class": status})

    assert [requests("/", each) for each in ("1xx", "2xx", "3xx", "4xx", "5xx")] == [0, 6, 0, 1, 2]
    assert requests("(server)", "2xx") == 1 and requests("(server)", "4xx") == 1
    # A request that was refused had no time to take.
    assert grown("unicoro_http_request_duration_seconds_count") == 10
    assert grown("unicoro_http_request_duration_seconds_bucket", le="+Inf") == 10
    assert 0 < grown("unicoro_http_request_duration_seconds_sum") < 10 * LONG
    assert grown("unicoro_http_request_queue_seconds_count") == 9
    assert grown("unicoro_http_received_bytes_total") > 50_000
    assert 5_000 < grown("unicoro_http_response_body_bytes_total") < 10_000
    assert grown("unicoro_connections_accepted_total") >= 11
    assert found[("unicoro_workers", ("state", "ready"))] == 2
    assert found[("unicoro_worker_starts_total",)] == 2
    # The kernel counts it in hundredths of a second.
    wait_until(
        lambda: server.get("/?bytes=100000").status == 200 and
        monitor.metrics()[("unicoro_workers_cpu_seconds_total",)] > 0,
        "what workers use of the CPU is counted",
    )
    counted(monitor, 1, "unicoro_event_loop_lag_seconds_count")
    assert ("unicoro_worker_memory_bytes", ("worker", "0")) in found


def test_durations_fall_into_their_buckets(watched):
    server, monitor = watched(*PYTHON, "-k", "gthread", "--threads", 2, "admission_probe:app")
    assert server.get("/?seconds=0.3").status == 200
    found = counted(monitor, 1, "unicoro_http_request_duration_seconds_count")

    def bucket(bound):
        return found[("unicoro_http_request_duration_seconds_bucket", ("le", bound))]

    assert bucket("0.25") == 0 and bucket("10.0") == 1
    assert 0.3 <= found[("unicoro_http_request_duration_seconds_sum",)] < LONG


def test_those_that_run_wait_and_are_shed(watched, tmp_path):
    gate = tmp_path / "open"
    server, monitor = watched(*PYTHON, "-k", "gthread", "--threads", 4, "--max-concurrent-requests", 1,
                              "--max-queued-requests", 2, "--queue-timeout", 60, "stuck_probe:app")
    clients = [server.client() for _ in range(5)]
    for client in clients:
        client.request(f"/sleep?until={gate}")
    found = counted(monitor, 2, "unicoro_http_requests_shed_total")
    assert found[("unicoro_http_requests_shed_total",)] == 2
    wait_until(lambda: monitor.value("unicoro_http_requests_in_flight") == 3, "one runs, two wait")
    assert monitor.value("unicoro_http_requests_queued") == 2
    assert monitor.value("unicoro_connections", state="active") == 3
    gate.write_text("")
    for client in clients:
        client.response()
    wait_until(lambda: monitor.value("unicoro_http_requests_in_flight") == 0, "none is left")
    assert monitor.value("unicoro_http_requests_queued") == 0
    assert monitor.value("unicoro_connections", state="idle") == 5
    for client in clients:
        client.close()
    found = counted(monitor, 3, "unicoro_http_request_queue_seconds_count")
    assert found[("unicoro_http_request_queue_seconds_sum",)] > 0


def test_what_the_loop_waits_for_the_interpreter(watched, tmp_path):
    server, monitor = watched(*PYTHON, "--interface", "asgi", "admission_probe:asgi")
    gate = tmp_path / "open"
    with server.client() as client:
        client.request(f"/?aside={gate}")
        wait_until(
            lambda: server.get("/").status == 200 and monitor.value("unicoro_gil_wait_seconds_total") > 0.05,
            "a thread that computes keeps the loop waiting",
        )
        gate.write_text("")
        assert client.response().status == 200


def test_websockets(watched):
    server, monitor = watched(*PYTHON, "-k", "async", "--interface", "asgi", "admission_probe:asgi")
    with server.client() as client:
        client.send(handshake("/"))
        assert client.head().status == 101
        found = counted(monitor, 1, "unicoro_websockets_accepted_total")
        assert found[("unicoro_connections", ("state", "websocket"))] == 1
        (running,) = monitor.json("/requests")["requests"]
        assert running["stage"] == "websocket"
    wait_until(lambda: monitor.value("unicoro_connections", state="websocket") == 0, "it has gone")
    counted(monitor, 1, "unicoro_http_requests_total", application="/", **{"class": "1xx"})


def test_handshakes(watched, authority, pair):
    server, monitor = watched("--certfile", pair[0], "--keyfile", pair[1], probe())
    with TlsClient(server.address, authority.context()) as client:
        assert client.get("/").status == 200
    with server.client() as client:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.rest()
    found = counted(monitor, 1, "unicoro_tls_handshakes_total", outcome="failed")
    assert found[("unicoro_tls_handshakes_total", ("outcome", "completed"))] == 1


def test_applications_by_where_they_are_mounted(watched):
    config = {"apps": {"/": probe(), "/api": probe()}}
    server, monitor = watched(config=config)
    assert server.get("/api").status == 200
    for attack in range(50):
        server.get(f"/{attack}-never-seen")
    found = counted(monitor, 1, "unicoro_http_requests_total", application="/api", **{"class": "2xx"})
    names = {dict(key[1:])["application"] for key in found if key[0] == "unicoro_http_requests_total"}
    assert names == {"/", "/api", "(server)", "(other)"}


def test_workers_that_go_leave_what_they_have_counted(watched):
    server, monitor = watched("-w", 2, probe())
    server.allow("was sent SIGKILL")
    for _ in range(20):
        assert server.get("/").status == 200
    before = counted(monitor, 20, "unicoro_http_requests_total", application="/", **{"class": "2xx"})
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda pid=pid: pid not in server.workers() and len(server.workers()) == 2, "another one")
        now = monitor.metrics()
        assert gone_backwards(before, now) == []
        before = now
    server.send(signal.SIGHUP)
    server.wait_log("Reload complete")
    wait_until(lambda: len(server.workers()) == 2, "the old ones have gone")
    now = wait_until(lambda: (found := monitor.metrics())[("unicoro_worker_ends_total", ("reason", "told"))] >= 2
                     and found, "counted")
    assert gone_backwards(before, now) == []
    assert now[("unicoro_http_requests_total", ("application", "/"), ("class", "2xx"))] == 20
    assert now[("unicoro_worker_ends_total", ("reason", "signal"))] == 2
    assert now[("unicoro_worker_starts_total",)] == 6
    assert now[("unicoro_generation",)] == 2


def test_nothing_is_lost_with_the_monitor(watched):
    server, monitor = watched(probe())
    server.allow("The monitor .* was sent")
    for _ in range(5):
        assert server.get("/").status == 200
    before = counted(monitor, 5, "unicoro_http_requests_total", application="/", **{"class": "2xx"})
    (pid,) = wait_until(server.monitors, "it is there")
    os.kill(pid, signal.SIGKILL)
    assert gone_backwards(before, monitor.metrics()) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_slots_do_not_move_anything_backwards(watched, seed):
    manners = ["garbage", "ones", "zeros", "small_numbers", "largest_times", "some_words"]
    server, monitor = watched(*PYTHON, "-w", 3, "--timeout", 1.5, "--graceful-timeout", 2, "scribble_probe:app")
    server.allow(r"WORKER TIMEOUT|In flight in worker|Error handling request|Traceback|exited with code 1|was sent SIG")
    chance = random.Random(seed)
    before = monitor.metrics()
    for _ in range(60):
        with contextlib.suppress(Closed, OSError):
            server.get(f"/{chance.choice(manners)}?{chance.randrange(1 << 30)}")
        assert monitor.get("/readyz").status in (200, 503)
        assert monitor.get("/status").status == 200
        text = monitor.get("/requests").text
        assert all(line.isprintable() for line in text.splitlines())
        json.loads(text)
        now = monitor.metrics()
        assert gone_backwards(before, now) == []
        # A counter that has leapt would be as wrong: nothing here serves millions in seconds.
        requests = sum(value for key, value in now.items() if key[0] == "unicoro_http_requests_total")
        assert requests < 1e10
        before = now
    assert len(server.monitors()) == 1


def test_a_scrape_by_prometheus(start, tmp_path):
    found = shutil.which("prometheus")
    if found is None:
        pytest.skip("prometheus is not installed")
    ports = []
    for _ in range(2):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            ports.append(sock.getsockname()[1])
    server = start("--admin-bind", f"127.0.0.1:{ports[0]}", "-w", 2, probe())
    for _ in range(7):
        assert server.get("/").status == 200
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        f"rule_files: [{ROOT / 'config' / 'prometheus-rules.yml'}]\n"
        "scrape_configs:\n- job_name: unicoro\n"
        f"  static_configs: [{{targets: ['127.0.0.1:{ports[0]}']}}]\n"
    )
    home = tmp_path / "prometheus"
    with open(tmp_path / "prometheus.log", "w", encoding="utf-8") as log:
        child = subprocess.Popen(
            [found, f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={home}",
             f"--web.listen-address=127.0.0.1:{ports[1]}"], stdout=log, stderr=log, cwd=tmp_path
        )

    def ask(query):
        url = f"http://127.0.0.1:{ports[1]}/api/v1/{query}"
        try:
            with urllib.request.urlopen(url, timeout=LONG) as answer:
                return json.load(answer)["data"]
        except OSError:
            assert child.poll() is None, (tmp_path / "prometheus.log").read_text()
            return None

    try:
        def scraped():
            data = ask("query?query=sum(unicoro_http_requests_total{class=%222xx%22,application=%22/%22})")
            return data and data["result"] and float(data["result"][0]["value"][1])

        wait_until(lambda: scraped() == 7, "Prometheus has it", 6 * LONG)
        (target,) = ask("targets")["activeTargets"]
        assert (target["health"], target["lastError"]) == ("up", "")
        data = ask("metadata?metric=unicoro_http_request_duration_seconds")
        (about,) = data["unicoro_http_request_duration_seconds"]
        # Only OpenMetrics tells the unit: that is what it has asked for.
        assert (about["type"], about["unit"]) == ("histogram", "seconds")
        rules = ask("rules")
        assert rules["groups"] and all(rule["health"] != "err" for group in rules["groups"] for rule in group["rules"])
    finally:
        child.terminate()
        child.wait(LONG)


def test_the_rules_are_good():
    rules = ROOT / "config" / "prometheus-rules.yml"
    done = subprocess.run([promtool(), "check", "rules", rules], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    tests = ROOT / "tests" / "integration" / "prometheus_rules_test.yml"
    done = subprocess.run([promtool(), "test", "rules", tests], text=True, capture_output=True, cwd=tests.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def names_in(text: str) -> set[str]:
    # Between colons are those that rules make.
    return set(re.findall(r"(?<![:\w])unicoro_[a-z_]+\b(?!:)", text))


@pytest.mark.parametrize("file", ["prometheus-rules.yml", "grafana-dashboard.json"])
def test_what_is_asked_for_is_there(watched, file):
    _, monitor = watched(probe())
    known = {key[0] for key in monitor.metrics()}
    assert names_in((ROOT / "config" / file).read_text()) <= known
