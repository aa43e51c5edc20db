# SPDX-License-Identifier: MIT
"""Fixtures for tests against the real binary (UNICORO_BINARY, else build/unicoro)."""

import os
import resource
import signal

import pytest

from harness import processes
from harness import server as harness_server
from harness.gate import Gate
from harness.paths import BINARY
from harness.waiting import wait_until


def pytest_configure(config):
    if not BINARY.exists():
        raise pytest.UsageError(f"{BINARY} does not exist: build it, or set UNICORO_BINARY")
    processes.adopt_orphans()
    # Tests with thousands of connections hold the client's end too.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 16384
    if soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def _end_orphans() -> list[int]:
    """Ends and reaps what is left of the test's processes; returns what had to be killed."""
    left = []
    for pid in processes.children(os.getpid()):
        if processes.alive(pid):
            left.append(pid)
            processes.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return left


@pytest.fixture
def start(tmp_path):
    """Starts servers: start(args..., config=..., env=...). Each is waited for, and at the end of the
    test is stopped and must leave no process, no zombie and no unexpected error in its log.

    `ready=False` does not wait; `listen=False` passes no socket, so that `bind` counts."""
    servers = []

    def factory(*args, ready: bool = True, **more) -> harness_server.Server:
        folder = tmp_path / f"server{len(servers)}" if servers else tmp_path
        server = harness_server.Server(folder, [str(arg) for arg in args], **more)
        servers.append(server)
        return server.wait_ready() if ready else server

    yield factory

    try:
        for server in servers:
            server.check_while_running()
            if server.child.running:
                assert server.stop() == 0, server.log()
            server.wait_exit()
        wait_until(
            lambda: not processes.children(os.getpid()), "every worker has ended with its master"
        )
        for server in servers:
            server.check_log()
    finally:
        for server in servers:
            server.destroy()
        _end_orphans()


@pytest.fixture
def command(tmp_path):
    """Runs the binary as a command: command(args..., env=...) -> CompletedProcess."""

    def run(*args, folder=None, **more):
        return harness_server.run([str(arg) for arg in args], folder or tmp_path, **more)

    return run


@pytest.fixture
def make_gate(tmp_path):
    """Makes gates for native_apps/probe.cpp: make_gate("name")."""
    gates = []

    def make(name: str = "gate") -> Gate:
        gates.append(Gate(tmp_path, name))
        return gates[-1]

    yield make
    for each in gates:
        each.close()


@pytest.fixture
def gate(make_gate):
    return make_gate()
