# SPDX-License-Identifier: MIT
"""health_path: answered by the server, whatever the application is at."""

import os
import signal
import sys

import pytest

from harness.paths import ROOT, probe
from harness.waiting import wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
PYTHON = ("--python", sys.executable, "--pythonpath", APPS)
HEALTH = ("--health-path", "/healthz")


def test_it_is_answered_by_the_server(start):
    server = start(*HEALTH, "--access-logfile", "-", probe())
    answer = server.get("/healthz?deep=1")
    assert (answer.status, answer.body) == (200, b"OK\n")
    assert answer.header("Cache-Control") == "no-store"
    with server.client() as client:
        empty = client.get("/healthz", method="HEAD")
        assert (empty.status, empty.header("Content-Length"), empty.body) == (200, "3", b"")
        refused = client.get("/healthz", method="POST", body=b"abc")
        assert (refused.status, refused.header("Allow")) == (405, "GET, HEAD")
        assert client.get("/healthz").status == 200
    # Nothing but the path itself.
    for path in ("/healthz/", "/healthz/more", "/Healthz", "//healthz"):
        assert server.get(path).body != b"OK\n"
    assert [server.output().count(f'"GET /healthz{end}') for end in (" ", "?deep=1 ")] == [1, 1]


def test_without_the_setting_it_is_the_applications(start):
    server = start(probe())
    assert server.get("/healthz").body != b"OK\n"


def test_it_stays_out_of_the_access_log(start):
    server = start(*HEALTH, "--no-health-access-log", "--access-logfile", "-", probe())
    with server.client() as client:
        assert client.get("/healthz").status == 200
        # Nothing of it is left for the next request.
        assert client.get("/hello").status in (200, 404)
    wait_until(lambda: "/hello" in server.output(), "the other one is logged")
    assert "/healthz" not in server.output()


def test_it_asks_for_no_place(start, tmp_path):
    gate = tmp_path / "open"
    server = start(*PYTHON, *HEALTH, "-k", "gthread", "--threads", 2, "--max-concurrent-requests", 1,
                   "--max-queued-requests", 0, "admission_probe:app")
    with server.client() as busy:
        busy.request(f"/?until={gate}")
        wait_until(lambda: server.get("/").status == 503, "the only place is taken")
        assert server.get("/healthz").status == 200
        gate.write_text("")
        assert busy.response().status == 200


def test_it_says_that_the_server_stops(start):
    server = start(*HEALTH, "--shutdown-delay", "30", probe())
    assert server.get("/healthz").status == 200
    server.send(signal.SIGTERM)
    answer = wait_until(lambda: (found := server.get("/healthz")).status == 503 and found, "it stops")
    assert answer.body == b"stopping\n"
    # Others are served as ever meanwhile.
    assert server.get("/").status == 200
    server.send(signal.SIGQUIT)
    assert server.wait_exit() == 0


def test_a_worker_that_leaves_alone_is_no_sign_of_that(start):
    server = start(*HEALTH, "-w", 2, "--graceful-timeout", 30, probe())
    clients = [server.client() for _ in range(8)]
    for client in clients:
        assert client.get("/healthz").status == 200
    os.kill(server.workers()[0], signal.SIGTERM)
    for client in clients:
        answer = client.get("/healthz")
        assert answer.status == 200
        client.close()
    server.wait_workers(2)


@pytest.mark.parametrize(("given", "why"), [
    ("healthz", 'must begin with "/"'),
    ("/", "is the application's"),
    ("/a?b", "without query"),
    ("/a/", 'must not end with "/"'),
])
def test_a_path_that_cannot_be_is_refused(command, given, why):
    done = command("--health-path", given, "--check-config", probe())
    assert done.returncode == 2
    assert "--health-path" in done.stderr and why in done.stderr
