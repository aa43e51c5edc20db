# SPDX-License-Identifier: MIT
"""A worker that writes where it should not, and what its master and its siblings make of it."""

import os
import random
import sys
import time
from pathlib import Path

import pytest

from harness.client import Client, Closed
from harness.waiting import wait_until

APPS = Path(__file__).parent / "python_apps"
MANNERS = ["garbage", "ones", "zeros", "small_numbers", "largest_times", "some_words", "flags", "noise"]
TIMEOUT = 1.5
WORKERS = 6


@pytest.fixture
def serve(start):
    def make(*args):
        options = ["-w", WORKERS, "--timeout", TIMEOUT, "--graceful-timeout", "2", *args]
        return start("--pythonpath", APPS, "--python", sys.executable, *options, "scribble_probe:app")

    return make


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Scribbler:
    """One connection, so that one worker is damaged; another one when that has gone."""

    def __init__(self, server):
        self.server = server
        self.client = None
        self.pids: set[int] = set()

    def scribble(self, manner: str, seed: int) -> None:
        if self.client is None:
            self.client = Client(self.server.address)
        try:
            answer = self.client.get(f"/{manner}?{seed}")
            if answer.status != 200:
                raise Closed(f"{answer.status}: the worker was ended for its silence")
            self.pids.add(int(answer.text))
        except (Closed, OSError):
            self.client.close()
            self.client = None


def endure(server, manners: list[str], seed: int, seconds: float) -> None:
    """Damages one worker in these ways for some time, while the others serve."""
    print(f"seed {seed}")
    chance = random.Random(seed)
    scribbler = Scribbler(server)
    scribbler.scribble("none", 0)
    others = set(server.workers()) - scribbler.pids
    assert len(others) == WORKERS - 1
    began, used = time.monotonic(), cpu_seconds(server.pid)
    rounds = 0
    while time.monotonic() < began + seconds:
        scribbler.scribble(chance.choice(manners), chance.randrange(1 << 30))
        # Connections wake all that accept from the socket they share. The damaged one may be about to end,
        # and says so to whom it has accepted.
        status = server.get("/none").status
        assert status in {200, 503}
        if status == 503:
            wait_until(lambda: server.get("/none").status == 200, "the others serve")
        rounds += status == 200
    took = time.monotonic() - began
    assert cpu_seconds(server.pid) - used < took / 3, "the master is busy"
    assert server.child.running
    # A worker that damages its own slot all the time shows no sign of life that can be believed.
    assert len(scribbler.pids) <= 2 + seconds / TIMEOUT, "the damaged worker is replaced all the time"
    others -= scribbler.pids
    assert others and others <= set(server.workers()), "workers that did nothing were ended"
    # The damaged one may be about to end.
    wait_until(lambda: {answer.text for answer in (server.get("/none") for _ in range(8)) if answer.status == 200}
               & {str(pid) for pid in others}, "the others serve")
    assert rounds > 20


@pytest.mark.parametrize("manner", MANNERS)
def test_damage_stays_in_its_worker(serve, manner):
    server = serve()
    server.allow(r"WORKER TIMEOUT|In flight in worker|Error handling request|Traceback|exited with code 1")
    endure(server, [manner], 1, 2 * TIMEOUT)


@pytest.mark.parametrize(("worker", "seed"), [(["-k", "sync"], 11), (["--threads", "2"], 12)])
def test_damage_of_every_kind(serve, worker, seed):
    server = serve(*worker)
    server.allow(r"WORKER TIMEOUT|In flight in worker|Error handling request|Traceback|exited with code 1")
    endure(server, MANNERS, seed, 3 * TIMEOUT)


def test_a_worker_sees_its_own_slot_alone(serve):
    server = serve()
    for pid in server.workers():
        shared = [line for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if " rw-s " in line]
        ranges = [line.split()[0].split("-") for line in shared if "/dev/zero" in line]
        # Beside it the board of loads: hints of all workers, a word of each.
        loads, slot = (int(last, 16) - int(first, 16) for first, last in ranges)
        assert loads < 1 << 16 and slot < 1 << 20


def test_damage_is_told_once(serve):
    server = serve()
    with server.client() as client:
        for seed in range(20):
            client.get(f"/garbage?{seed}")
    server.wait_log(r"\[WARNING\] Worker \(pid:\d+\) reports a state that cannot be")
    assert server.stop() == 0
    assert server.log().count("reports a state that cannot be") == 1


def test_what_a_damaged_worker_ran_is_told_with_care(serve):
    server = serve("--access-logfile", "-")
    server.allow(".")
    with server.client() as client:
        pid = int(client.get("/garbage?5").text)
        os.kill(pid, 9)
        server.wait_log(rf"Worker \(pid:{pid}\) was sent SIGKILL")
    wait_until(lambda: len(server.workers()) == WORKERS, "it is replaced")
    assert server.stop() == 0
    for text in (server.log(), server.output()):
        assert all(line.isprintable() for line in text.splitlines()), "bytes of a worker forge the log"
