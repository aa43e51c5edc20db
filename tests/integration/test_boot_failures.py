# SPDX-License-Identifier: MIT
"""Starts that cannot go well: exit codes and what is said."""

import socket

import pytest

from harness import processes
from harness.paths import BUILD, NO_FLAGS, PROBE, probe


@pytest.mark.parametrize(
    ("app", "code", "message"),
    [
        (probe("no_start"), 3, r"the start hook threw: the probe does not want to start"),
        ("./libmissing.so:app", 4, r"no file \./libmissing\.so"),
        (probe("missing"), 4, r"exports no 'missing'"),
        (probe("not_an_application"), 4, r"is not a unicoro::application"),
        (probe("no_handler"), 4, r"has no handler"),
        (probe("other_abi"), 4, r"was built with \[api 0; another compiler\]"),
        (f"{NO_FLAGS}:app", 4, r"was built with \[.*; Asio header-only with deprecated parts.*\], this "
                               r"server with \[.*; Asio separate.*\].* pkg-config --cflags unicoro"),
        (f"{NO_FLAGS}:constant", 4, r"exports no 'constant'.*and not const"),
    ],
)
@pytest.mark.parametrize("workers", [1, 3])
def test_application_that_cannot_be_used(start, app, code, message, workers):
    server = start("-w", workers, app, ready=False)
    server.allow(".")
    assert server.wait_exit() == code
    server.wait_log(message)
    server.wait_log({3: r"Worker failed to boot\.", 4: r"App failed to load\."}[code])


def test_library_that_is_no_library(start, tmp_path):
    (tmp_path / "libtext.so").write_text("not a library\n")
    server = start("./libtext.so:app", ready=False)
    server.allow(".")
    assert server.wait_exit() == 4
    server.wait_log("libtext.so")


@pytest.mark.skipif(
    not list((BUILD / "src" / "python").glob("*.so")), reason="built without a Python module"
)
def test_missing_python_module(start):
    server = start("no_such_module:app", ready=False)
    server.allow(".")
    assert server.wait_exit() == 4
    server.wait_log("no_such_module")
    server.wait_log(r"App failed to load\.")


def test_no_application(start):
    server = start(ready=False)
    assert server.wait_exit() == 2
    assert "application" in server.log()


def test_address_of_another_machine(start):
    server = start("-b", "192.0.2.1:0", probe(), ready=False, listen=False)
    server.allow("192.0.2.1")
    assert server.wait_exit() == 1
    server.wait_log(r"\[ERROR\] .*192\.0\.2\.1.*[Cc]annot assign requested address")


def test_address_in_use_is_tried_again_and_then_free(start):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = start("-b", f"127.0.0.1:{port}", probe(), ready=False, listen=False)
        server.allow("in use|Retrying")
        server.wait_log(rf"127\.0\.0\.1:{port}.*in use")
        server.wait_log("Retrying in 1 second")
    server.wait_ready()
    assert server.get("/pid").status == 200


def test_stop_while_the_address_is_in_use(start):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = start("-b", f"127.0.0.1:{port}", probe(), ready=False, listen=False)
        server.allow("in use|Retrying")
        server.wait_log("Retrying in 1 second")
        assert server.stop() == 0


def test_unknown_user(start):
    server = start("-u", "no-such-user", probe(), ready=False)
    server.allow("no-such-user")
    assert server.wait_exit() in (1, 2)
    assert "no-such-user" in server.log()


def test_no_workers_are_left_after_a_failed_boot(start):
    server = start("-w", "4", probe("no_start"), ready=False)
    server.allow(".")
    assert server.wait_exit() == 3
    assert PROBE.exists()
    assert not processes.alive(server.pid)
