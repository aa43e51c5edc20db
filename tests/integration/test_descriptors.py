# SPDX-License-Identifier: MIT
"""Descriptors: how many there may be, who they are kept for, and those a server starts with."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness import processes
from harness.client import Client, get
from harness.paths import BINARY, HELLO
from harness.server import clean_environment
from harness.waiting import wait_until
from test_process import free_port

APPS = Path(__file__).parent / "python_apps"
FILES = ("--pythonpath", APPS, "--python", sys.executable, "files_probe:app")


def limit_of(pid: int) -> tuple[int, int]:
    (line,) = re.findall(r"Max open files +(\d+) +(\d+)", Path(f"/proc/{pid}/limits").read_text())
    return int(line[0]), int(line[1])


def hold(address, count: int) -> list[Client]:
    """Connections that are open, each after a request."""
    clients = []
    for index in range(count):
        client = Client(address, source=f"127.0.0.{2 + index % 8}")
        client.request("/?files=0")
        clients.append(client)
    for client in clients:
        assert client.response().status == 200
    return clients


def test_the_soft_limit_is_raised_to_the_hard_one(start):
    server = start(HELLO, limits={"nofile": "200:3000"})
    for pid in (server.pid, *server.workers()):
        assert limit_of(pid) == (3000, 3000)
    assert "worker_connections" not in server.log()


@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"], ["--threads", "2"]])
def test_connections_beyond_the_soft_limit_leave_files_to_the_application(start, worker):
    server = start(
        *worker, "--worker-connections", "500", "--keep-alive", "600", *FILES, limits={"nofile": "200:3000"}
    )
    clients = hold(server.address, 480)
    assert clients[0].get("/?files=50").text == "50"
    for client in clients:
        client.close()


def test_a_hard_limit_that_is_too_low_is_told_and_leaves_a_reserve(start):
    server = start(
        "--worker-connections", "500", "--keep-alive", "600", *FILES, limits={"nofile": "200:256"}
    )
    told = server.wait_log(
        r"\[WARNING\] worker_connections: 500 connections need more descriptors .*\(256, the hard limit\): "
        r"a worker takes about (\d+) and keeps (\d+) for the application"
    )
    assert 100 < int(told[1]) < 200 and int(told[2]) >= 50
    waiting = [Client(server.address, source=f"127.0.0.{2 + index % 8}") for index in range(300)]
    # None of them is idle, so that none gives way.
    for client in waiting:
        client.send("GET /?files=0 HTTP/1.1\r\nHost: a\r\n")
    server.wait_log("accept: Too many open files with more than .* kept for the application")
    waiting[0].send("\r\nGET /?files=50 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert waiting[0].response().status == 200
    assert waiting[0].response().text == "50"
    for client in waiting[1:]:
        client.send("\r\n")
        assert client.response().status == 200
        client.close()


def test_enough_descriptors_are_not_mentioned(start):
    server = start("--worker-connections", "100", HELLO, limits={"nofile": "4096:4096"})
    assert server.get("/").status == 200
    assert "descriptors" not in server.log()


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1], [1, 2], [0, 1, 2]])
@pytest.mark.parametrize("worker", [["-k", "sync"], ["-k", "async"]])
def test_started_with_closed_streams(tmp_path, worker, closed):
    port = free_port()
    log = tmp_path / "error.log"
    redirections = "".join(f" {fd}>&-" for fd in closed)
    options = [*worker, "--error-logfile", log, "-b", f"127.0.0.1:{port}", *FILES]
    started = subprocess.Popen(
        ["/bin/sh", "-c", f'exec "$@"{redirections}', "sh", BINARY, *map(str, options)],
        cwd=tmp_path,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: log.exists() and "Booting worker" in log.read_text(), "a worker boots")
        for _ in range(3):
            assert get(("127.0.0.1", port), "/?files=3&print=1").text == "3"
        (worker_pid,) = processes.children(started.pid)
        for fd in closed:
            for pid in (started.pid, worker_pid):
                assert Path(f"/proc/{pid}/fd/{fd}").readlink() == Path("/dev/null")
    finally:
        started.terminate()
        assert started.wait(10) == 0


@pytest.mark.parametrize(
    "logs",
    [
        ["--access-logfile", "a.log", "--error-logfile", "e.log", "--capture-output"],
        ["--access-logfile", "-", "--error-logfile", "e.log", "--capture-output"],
        ["--access-logfile", "a.log", "--error-logfile", "e.log", "--capture-output", "-R"],
        ["--access-logfile", "-", "--error-logfile", "e.log"],
        ["--error-logfile", "e.log", "--capture-output"],
    ],
)
def test_a_daemon_lets_go_of_the_pipe_it_was_started_with(tmp_path, logs):
    """So that $(...), ssh and CI come to an end."""
    port, pidfile = free_port(), tmp_path / "pid"
    started = subprocess.Popen(
        [BINARY, "-D", "-p", pidfile, "-b", f"127.0.0.1:{port}", *logs, *map(str, FILES)],
        cwd=tmp_path,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        output, _ = started.communicate(timeout=10)
        assert (started.returncode, output) == (0, b"")
        assert get(("127.0.0.1", port), "/?files=1&print=1").text == "1"
        if "--capture-output" in logs:
            wait_until(lambda: "printed by the application" in (tmp_path / "e.log").read_text(), "what is printed")
        if logs[:2] == ["--access-logfile", "-"] and "--capture-output" in logs:
            # As with gunicorn: stdout is the error log.
            wait_until(lambda: '"GET /?files=1' in (tmp_path / "e.log").read_text(), "the line of the request")
    finally:
        daemon = int(pidfile.read_text())
        processes.kill(daemon, signal.SIGTERM)
        wait_until(lambda: processes.state(daemon) == "Z", "the daemon ends")
        os.waitpid(daemon, 0)
