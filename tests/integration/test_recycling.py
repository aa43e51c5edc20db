# SPDX-License-Identifier: MIT
"""Workers that are replaced by rule, and those that somebody else has ended."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest

from harness import processes
from harness.client import Closed
from harness.mixed_load import KINDS, MixedLoad
from harness.paths import ROOT, probe
from harness.waiting import LONG, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
PLAIN = ("kept", "each", "idle", "posted")


def serve(start, *args, **more):
    return start("--python", sys.executable, "--pythonpath", APPS, "--graceful-timeout", "10", *args,
                 env={"PYTHONDONTWRITEBYTECODE": "1"}, **more)


def most_at_once(server, until, seconds=6 * LONG):
    """How many workers there were at most until then."""
    most = 0

    def look():
        nonlocal most
        most = max(most, len(server.workers()))
        return until()

    wait_until(look, "workers are replaced", seconds)
    return most


@pytest.mark.parametrize("share, most", [(25, 5), (50, 6)])
def test_lifetime(start, share, most):
    server = serve(start, "-w", "4", "-k", "async", "--interface", "asgi", "load_probe:asgi",
                   "--max-worker-lifetime", "0.7", "--recycle-share", str(share))
    with MixedLoad(server.address, KINDS, clients=2) as load:
        assert most_at_once(server, lambda: len(load.workers) >= 12) <= most
        load.wait_more(3)
    load.check()
    server.wait_log(r"Worker \(pid:\d+\) has served for [\d.]+ s \(max_worker_lifetime\): it is replaced")


def test_requests(start):
    server = serve(start, "-w", "4", "--threads", "4", "load_probe:application",
                   "--max-requests", "200", "--max-requests-jitter", "50", "--recycle-share", "50")
    with MixedLoad(server.address, PLAIN, clients=2) as load:
        assert most_at_once(server, lambda: len(load.workers) >= 12) <= 6
        load.wait_more(3)
    load.check()


@pytest.mark.needs_plain_build("what workers have in memory is measured")
@pytest.mark.parametrize("worker", [["-k", "sync"], ["--threads", "4"]])
def test_memory(start, worker):
    server = serve(start, "-w", "4", *worker, "recycle_probe:growing",
                   "--max-worker-memory", "48m", "--max-worker-memory-jitter", "16m")
    kinds = ("each", "posted") if "sync" in worker else PLAIN
    with MixedLoad(server.address, kinds, clients=2) as load:
        assert most_at_once(server, lambda: len(load.workers) >= 8) <= 5
        load.wait_more(3)
    load.check()
    seen = server.wait_log(
        r"Worker \(pid:\d+\) has ([\d.]+) MiB of memory \(proportional\), more than ([\d.]+) MiB "
        r"\(max_worker_memory\): it is replaced"
    )
    assert 48 <= float(seen[2]) <= 64


@pytest.mark.needs_plain_build("what workers have in memory is measured")
@pytest.mark.parametrize("worker", [["-k", "sync"], ["--threads", "2"]])
def test_memory_limit(start, worker):
    """What it is in is named, and answered; the code itself would never have come to an end."""
    server = serve(start, "-w", "2", *worker, "recycle_probe:application", "--worker-memory-limit", "200m",
                   "--timeout", "0")
    server.allow("worker_memory_limit|In flight|SIGKILL|Error handling|Traceback|threads are still")
    before = server.workers()
    with server.client() as client:
        client.request("/swell")
        try:
            assert client.response().status == 503
        except (Closed, ConnectionResetError):
            server.wait_log("does not end in time: SIGKILL")
    found = server.wait_log(
        r"\[ERROR\] Worker \(pid:(\d+)\) has [23]\d\d\.\d MiB of memory \(proportional\), more than 200\.0 MiB "
        r"\(worker_memory_limit\): it is ended\n.*In flight in worker \(pid:(\d+)\): GET /swell"
    )
    assert found[1] == found[2] and int(found[1]) in before
    wait_until(lambda: len(now := server.workers()) == 2 and int(found[1]) not in now, "it is replaced")


def test_an_end_from_outside_is_told_apart(start):
    server = start("-w", "2", probe())
    server.allow("SIGKILL")
    victim = server.workers()[0]
    processes.kill(victim, signal.SIGKILL)
    server.wait_log(
        rf"\[ERROR\] Worker \(pid:{victim}\) was sent SIGKILL! Not by this server, nor by the kernel for want of "
        r"memory \(oom_kill in \S+ stays at \d+\)"
    )


@pytest.fixture
def small_group(tmp_path):
    """A cgroup with room for 96 MiB: a file of it that takes a pid."""
    name = f"unicoro-test-{os.getpid()}"
    for parent, limit in ((Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
                          (Path("/sys/fs/cgroup"), "memory.max")):
        group = parent / name
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / limit).exists():
            break
        group.rmdir()
    else:
        pytest.skip("needs root and a cgroup that limits memory")
    (group / limit).write_text(str(96 << 20))
    yield group / "cgroup.procs"
    wait_until(lambda: not (group / "cgroup.procs").read_text().split(), "its processes have gone")
    group.rmdir()


@pytest.mark.needs_plain_build("what workers have in memory is measured")
def test_an_end_by_the_kernel_is_told_apart(start, small_group):
    server = serve(start, "-w", "1", "recycle_probe:application", "--max-worker-memory", "10g")
    server.allow("killed by the kernel|In flight")
    (victim,) = server.workers()
    small_group.write_text(str(victim))
    with pytest.raises((Closed, ConnectionResetError)):
        server.get("/grow")
    found = server.wait_log(
        rf"\[ERROR\] Worker \(pid:{victim}\) was killed by the kernel for want of memory \(oom_kill in (\S+) has "
        r"risen to \d+\)! (It had [\d.]+ MiB of memory \(resident\)\. )?It lived for"
    )
    assert re.search("memory.events|vmstat", found[1])
    wait_until(lambda: (now := server.workers()) and victim not in now, "it is replaced")


def test_limits_that_contradict(command):
    done = command("--check-config", "--max-worker-memory", "100m", "--max-worker-memory-jitter", "50m",
                   "--worker-memory-limit", "120m", probe())
    assert done.returncode != 0
    assert "--worker-memory-limit: must be more than" in done.stderr
