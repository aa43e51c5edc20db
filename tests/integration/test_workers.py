# SPDX-License-Identifier: MIT
"""Workers that die, hang, are recycled, or lose their master."""

import os
import re
import signal
import time

import pytest

from harness import processes
from harness.client import Closed
from harness.load import Load
from harness.paths import HELLO, probe
from harness.waiting import LONG, wait_until


def replacement(server, *old: int, timeout: float = 10.0) -> int:
    """Waits for a worker that is none of the old ones."""
    return wait_until(
        lambda: next((pid for pid in server.workers() if pid not in old), None),
        "a replacement of the worker",
        timeout,
    )


def test_killed_under_load(start):
    server = start("-w", "2", "-k", "async", HELLO)
    server.allow("was sent SIGKILL|In flight in worker")
    victim, other = server.workers()
    with Load(server.address, target="/", per_connection=0) as load:
        wait_until(lambda: load.answered > 100, "load")
        killed = time.monotonic()
        processes.kill(victim, signal.SIGKILL)
        new = replacement(server, victim, other, timeout=1.0)
        assert time.monotonic() - killed < 1.0
        seen = load.answered
        wait_until(lambda: load.answered > seen + 100, "load goes on")
    assert server.workers() == sorted([other, new])
    server.wait_log(
        rf"\[ERROR\] Worker \(pid:{victim}\) was sent SIGKILL! Not by this server"
    )


def test_killed_alone_is_replaced_within_a_second(start):
    server = start(HELLO)
    server.allow("was sent SIGKILL")
    (victim,) = server.workers()
    killed = time.monotonic()
    processes.kill(victim, signal.SIGKILL)
    # The listening socket never closes: a client waits for the new worker and is served.
    assert server.get("/").status == 200
    assert time.monotonic() - killed < 1.0
    assert server.workers() != [victim]


def test_hung_worker_is_killed_and_its_request_named(start, gate, tmp_path):
    access = tmp_path / "access.log"
    server = start("--timeout", "1", "--access-logfile", access, probe())
    server.allow("WORKER TIMEOUT|In flight in worker")
    (hung,) = server.workers()
    with server.client() as client:
        client.request(f"/block?gate={gate.path}")
        gate.wait_entered()
        began = time.monotonic()
        server.wait_log(rf"\[CRITICAL\] WORKER TIMEOUT \(pid:{hung}\)", timeout=3)
        assert time.monotonic() - began > 0.7
        with pytest.raises((Closed, ConnectionResetError)):
            client.response()
    log = server.wait_log(
        rf"In flight in worker \(pid:{hung}\): GET /block\?gate=\S* for \d+\.\d s"
    )
    assert log
    wait_until(
        lambda: re.search(r'"GET /block\?gate=\S* HTTP/1.1" 502 ', access.read_text()),
        "the lost request has its access-log line",
    )
    new = replacement(server, hung)
    assert int(server.get("/pid").text) == new
    server.wait_log(rf"Worker \(pid:{hung}\) was sent SIG(ABRT|KILL)!")


def test_a_worker_that_only_waits_is_not_killed(start, gate):
    server = start("--timeout", "1", "--keep-alive", "30", probe())
    with server.client() as client, server.client() as other:
        client.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        held = time.monotonic()
        while time.monotonic() - held < 1.6:
            assert other.get("/pid").status == 200
        gate.release()
        assert int(client.response().text) == server.workers()[0]


def test_crash_is_logged_with_its_request(start):
    server = start(probe())
    (worker,) = server.workers()
    with server.client() as client:
        client.request("/crash?reason=none")
        with pytest.raises((Closed, ConnectionResetError)):
            client.response()
    server.wait_log(rf"\[WARNING\] Worker \(pid:{worker}\) was sent SIGSEGV!")
    server.wait_log(rf"In flight in worker \(pid:{worker}\): GET /crash\?reason=none")
    assert int(server.get("/pid").text) == replacement(server, worker)


def test_exit_code_is_logged(start):
    server = start(probe())
    server.allow("exited with code 7|In flight in worker")
    (worker,) = server.workers()
    with server.client() as client:
        client.request("/exit?code=7")
        with pytest.raises((Closed, ConnectionResetError)):
            client.response()
    server.wait_log(rf"\[ERROR\] Worker \(pid:{worker}\) exited with code 7")
    assert int(server.get("/pid").text) == replacement(server, worker)


@pytest.mark.parametrize("code", [3, 4])
def test_boot_codes_after_the_boot_do_not_stop_the_master(start, code):
    server = start(probe())
    server.allow(f"exited with code {code}|In flight in worker")
    (worker,) = server.workers()
    with server.client() as client:
        client.request(f"/exit?code={code}")
        client.rest()
    replacement(server, worker)
    assert server.get("/pid").status == 200


def test_crash_loop_slows_down(start):
    server = start(probe("exits"), ready=False)
    server.allow("exited with code 9")
    server.wait_log(r"Workers die soon after they start \(4 times in a row\)")
    booted = server.log().count("Booting worker")
    assert booted <= 5
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("clients", [("close", 1), ("keep-alive", 0)])
def test_max_requests_loses_no_request(start, clients):
    _, per_connection = clients
    server = start("-w", "2", "--max-requests", "100", "--max-requests-jitter", "20", probe())
    with Load(server.address, per_connection=per_connection) as load:
        wait_until(
            lambda: load.answered > 1500 and len(set(load.bodies)) >= 6,
            "1500 requests, and workers that are replaced",
            3 * LONG,
        )
    assert load.lost == []
    server.wait_workers(2)


def test_max_requests_has_the_replacement_first(start, make_gate):
    gate = make_gate()
    server = start(
        "--max-requests", "3", "-e", f"PROBE_GATE={gate.path}", probe("gated"), ready=False
    )
    gate.wait_entered()
    gate.release()
    server.wait_ready()
    (old,) = server.workers()
    for _ in range(3):
        server.get("/pid")
    gate.wait_entered()
    # The new one is still starting: the old one serves beyond its number.
    assert int(server.get("/pid").text) == old
    gate.release()
    new = wait_until(lambda: (p := server.workers()) != [old] and len(p) == 1 and p[0], "the new one")
    assert int(server.get("/pid").text) == new


def test_a_request_has_the_whole_timeout(start, gate):
    """Also one that holds the loop, whenever the last sign of life before it was."""
    server = start("--timeout", "2", probe())
    with server.client() as client:
        # The first one ends with a sign of life; the next is due half a second later.
        for _ in range(2):
            assert client.silent(0.4)
            client.request(f"/block?gate={gate.path}")
            gate.wait_entered()
            assert client.silent(1.75)
            gate.release()
            assert client.response().status == 200


def test_boot_timeout(start, gate):
    server = start(
        "--boot-timeout", "0.4", "--graceful-timeout", "0.4", "-e", f"PROBE_GATE={gate.path}",
        probe("stuck"), ready=False,
    )
    server.allow("is not ready after boot_timeout")
    gate.wait_entered()
    (worker,) = server.workers()
    server.wait_log(rf"\[ERROR\] Worker \(pid:{worker}\) is not ready after boot_timeout \(0\.4 s\)")
    gate.wait_entered()
    assert server.workers() != [worker]


def reap(*pids: int) -> None:
    """Reaps workers that became children of this process when their master died."""
    for pid in pids:
        wait_until(lambda: processes.state(pid) == "Z", f"worker {pid} ends")
        os.waitpid(pid, 0)


def test_workers_end_with_their_master(start):
    server = start("-w", "3", probe())
    workers = server.workers()
    processes.kill(server.pid, signal.SIGKILL)
    assert server.wait_exit() == -signal.SIGKILL
    reap(*workers)
    server.wait_log("the master has died")


def test_a_request_survives_the_death_of_the_master(start, gate):
    server = start(probe())
    (worker,) = server.workers()
    with server.client() as client:
        client.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        processes.kill(server.pid, signal.SIGKILL)
        server.wait_exit()
        server.wait_log("the master has died")
        gate.release()
        assert client.response().status == 200
    reap(worker)


def test_worker_that_hangs_while_it_ends_is_killed(start, gate):
    server = start("--graceful-timeout", "0.5", probe())
    server.allow("In flight in worker")
    with server.client() as client:
        client.request(f"/block?gate={gate.path}")
        gate.wait_entered()
        assert server.stop() == 0
    server.wait_log(r"does not end in time: SIGKILL")
