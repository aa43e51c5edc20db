# SPDX-License-Identifier: MIT
"""Fixtures for tests against the real binary (UNICORO_BINARY, else build/unicoro)."""

import contextlib
import os
import resource
from pathlib import Path

import pytest

from harness import fleet, processes
from harness import server as harness_server
from harness.certificates import Authority
from harness.gate import Gate
from harness.paths import BINARY
from harness.sanitizers import FOUND, SANITIZED, Reports
from harness.waiting import wait_until

CONTROL_GROUPS = (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup"))  # of version 1, and 2


def pytest_configure(config):
    if not BINARY.exists():
        raise pytest.UsageError(f"{BINARY} does not exist: build it, or set UNICORO_BINARY")
    processes.adopt_orphans()
    config.addinivalue_line("markers", "needs_plain_build(reason): is skipped with a sanitized binary")
    # Tests with thousands of connections hold the client's end too.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 16384
    if soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def pytest_collection_modifyitems(items):
    for item in items:
        mark = item.get_closest_marker("needs_plain_build")
        if SANITIZED and mark is not None:
            item.add_marker(pytest.mark.skip(reason=f"sanitizers: {mark.args[0]}"))


@pytest.fixture(scope="session")
def sanitizer_reports():
    if not SANITIZED:
        yield None
        return
    reports = Reports()
    yield reports
    reports.new()
    reports.close()
    assert not FOUND, "\n".join(FOUND)


@pytest.fixture(autouse=True)
def no_sanitizer_report(sanitizer_reports):
    """Fails a test that left a report, be it of a worker that was ended on purpose."""
    yield
    if sanitizer_reports is not None:
        assert not (text := sanitizer_reports.new()), text


@pytest.fixture
def start(tmp_path):
    """Starts servers: start(args..., config=..., env=...). Each is waited for, and at the end of the
    test is stopped and must leave no process, no zombie and no unexpected error in its log.

    `ready=False` does not wait; `listen=False` passes no socket, so that `bind` counts."""
    yield from fleet.run(tmp_path)


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


@pytest.fixture
def few_processes():
    """A control group in which a number of processes can be had: few_processes(pids of members, number)."""
    for parent in CONTROL_GROUPS:
        group = parent / f"unicoro-test-{os.getpid()}"
        with contextlib.suppress(OSError):
            group.mkdir()
        if (group / "pids.max").exists():
            break
        with contextlib.suppress(OSError):
            group.rmdir()
    else:
        pytest.skip("needs root and a control group that limits processes")

    def limit(members, number):
        (group / "pids.max").write_text(str(number))
        for pid in members:
            (group / "cgroup.procs").write_text(str(pid))
        return group

    yield limit
    for pid in (group / "cgroup.procs").read_text().split():
        with contextlib.suppress(OSError):
            (group.parent / "cgroup.procs").write_text(pid)
    wait_until(lambda: not (group / "cgroup.procs").read_text(), "its members have ended")
    group.rmdir()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Signs certificates for the tests of a file."""
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def pair(authority):
    """Certificate and key of the usual site."""
    return authority.issue("site", ["localhost", "site.example"])
