# SPDX-License-Identifier: MIT
"""admin_bind: who may ask the monitor, and what is refused before there is one."""


import pytest

from harness.addresses import free_port, other_address
from harness.metrics import TOKEN, Monitor
from harness.paths import probe

CHECKS = ("/livez", "/readyz")
PATHS = (*CHECKS, "/metrics", "/status", "/requests", "/history")


def test_loopback_is_asked_by_its_own_names(start):
    port = free_port()
    start("--admin-bind", f"127.0.0.1:{port}", probe())
    monitor = Monitor(("127.0.0.1", port))
    for host in ("localhost", f"localhost:{port}", f"127.0.0.1:{port}", "[::1]", "a.localhost"):
        assert monitor.get("/status", host=host).status == 200
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example"):
        answer = monitor.get("/status", host=host)
        assert answer.status == 421 and "workers" not in answer.text
    # The target counts more than the field, where it has a name (RFC 9112, 3.2.2).
    assert monitor.get("http://evil.example/status", host="localhost").status == 421


def test_others_need_the_token(start):
    address = other_address()
    port = free_port(address)
    start("--admin-bind", f"{address}:{port}", probe(), config={"admin_token": TOKEN})
    bare = Monitor((address, port))
    for path in ({*PATHS, "/nothing", "/livez/"} - {*CHECKS}):
        answer = bare.get(path, host="any.example")
        assert answer.status == 401 and answer.header("WWW-Authenticate").startswith("Bearer")
    # A kubelet has none to send.
    assert [bare.get(path, host="any.example").status for path in CHECKS] == [200, 200]
    for wrong in (f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer", f"Basic {TOKEN}"):
        assert bare.get("/status", headers=[("Authorization", wrong)]).status == 401
    monitor = Monitor((address, port), headers=[("Authorization", f"Bearer {TOKEN}")])
    for path in PATHS:
        assert monitor.get(path, host="any.example").status == 200


@pytest.mark.parametrize(("args", "why"), [
    (["--admin-bind", "0.0.0.0:9000"], "admin_token"),
    (["--admin-bind", ":9000"], "admin_token"),
    (["--admin-bind", "[::]:9000"], "admin_token"),
    (["--admin-bind", "some.example:9000"], "admin_token"),
    (["--admin-bind", "fd://3"], "unix:PATH or HOST:PORT"),
    (["--admin-bind", "127.0.0.1:9000", "-b", "127.0.0.1:9000"], "take another one"),
    (["--admin-bind", "0.0.0.0:9000", "--admin-token", "short"], "openssl rand -hex 32"),
    (["--ready-workers", "5", "-w", "4"], "would never be ready"),
])
def test_what_cannot_be_is_refused(command, args, why):
    done = command(*args, "--check-config", probe())
    assert done.returncode == 2 and why in done.stderr, done.stderr


def test_the_token_is_not_shown(command):
    done = command("--admin-token", TOKEN, "--admin-bind", "0.0.0.0:9000", "--print-config", probe())
    assert done.returncode == 0 and TOKEN not in done.stdout and "(not shown)" in done.stdout
