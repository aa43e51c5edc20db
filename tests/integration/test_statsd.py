# SPDX-License-Identifier: MIT
"""gunicorn's metrics for a StatsD daemon."""

import os
import re
import select
import signal
import socket

import pytest

from harness.paths import HELLO
from harness.waiting import wait_until


class Daemon:
    def __init__(self, sock):
        self.sock = sock
        self.lines: list[str] = []

    def take(self) -> list[str]:
        while select.select([self.sock], [], [], 0)[0]:
            self.lines += self.sock.recv(65536).decode().split("\n")
        return self.lines

    def wait(self, pattern: str, count: int = 1) -> list[re.Match]:
        def found():
            matches = [match for each in self.take() if (match := re.fullmatch(pattern, each))]
            return matches if len(matches) >= count else None

        return wait_until(found, f"{pattern} {count} times")


@pytest.fixture
def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield Daemon(sock)


def test_requests_workers_and_backlog(start, udp):
    host = f"localhost:{udp.sock.getsockname()[1]}"
    server = start("-w", 3, "--statsd-host", host, "--statsd-prefix", "site", "--enable-backlog-metric", HELLO)
    with server.client() as client:
        for target in ("/", "/", "/nowhere"):
            client.get(target)
    server.client().send(b"no request\r\n\r\n")
    udp.wait(r"site\.gunicorn\.requests:1\|c", 4)
    udp.wait(r"site\.gunicorn\.request\.status\.200:1\|c", 2)
    udp.wait(r"site\.gunicorn\.request\.status\.404:1\|c")
    udp.wait(r"site\.gunicorn\.request\.status\.400:1\|c")
    took = udp.wait(r"site\.gunicorn\.request\.duration:(\d+\.\d{3})\|ms", 4)
    assert all(float(each.group(1)) < 60_000 for each in took)
    # Again and again, as daemons forget what does not come.
    udp.wait(r"site\.gunicorn\.workers:3\|g", 2)
    udp.wait(r"site\.gunicorn\.backlog:0\|g", 2)
    assert len([each for each in udp.take() if ".requests:" in each]) == 4


def test_lines_of_the_error_log(start, udp):
    server = start("--statsd-host", f"127.0.0.1:{udp.sock.getsockname()[1]}", HELLO)
    server.allow("was sent SIGKILL")
    os.kill(server.workers()[0], signal.SIGKILL)
    udp.wait(r"gunicorn\.log\.error:1\|c")


def test_tags_over_a_unix_socket(start, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "statsd"))
        daemon = Daemon(sock)
        server = start("--statsd-host", f"unix://{tmp_path}/statsd", "--dogstatsd-tags", "env:test,zone:a", HELLO)
        server.get("/")
        daemon.wait(r"gunicorn\.requests:1\|c\|#env:test,zone:a")
        daemon.wait(r"gunicorn\.workers:1\|g\|#env:test,zone:a")


def test_lines_left_out_of_the_access_log_are_counted(start, udp, tmp_path):
    config = tmp_path / "unicoro.json"
    config.write_text('{"request_rules": [{"path": "/", "access_log": 0}]}')
    server = start("-c", config, "--access-logfile", "-", "--statsd-host", f"127.0.0.1:{udp.sock.getsockname()[1]}", HELLO)
    server.get("/")
    udp.wait(r"gunicorn\.requests:1\|c")
    assert server.output() == ""


@pytest.mark.parametrize("host", ["a:b", "http://a", "unix://relative", "a:0"])
def test_a_host_that_is_none(command, host):
    done = command("--statsd-host", host, HELLO)
    assert done.returncode == 2
    assert "--statsd-host" in done.stderr and "HOST:PORT" in done.stderr and host in done.stderr


def test_nobody_listens(start, tmp_path):
    server = start("--statsd-host", f"unix://{tmp_path}/statsd", HELLO)
    assert server.get("/").status == 200
