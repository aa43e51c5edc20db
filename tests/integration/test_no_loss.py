# SPDX-License-Identifier: MIT
"""Nothing is lost by what operators do, under clients of every kind at once."""

import os
import random
import signal
import sys
import time

import pytest

from harness.mixed_load import KINDS, MixedLoad
from harness.paths import ROOT
from harness.upgrades import upgrade
from harness.waiting import LONG, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
KILLING = 15.0  # seconds for each kind of application
PLAIN = tuple(kind for kind in KINDS if kind != "websocket")

SERVED = {
    "asgi": (["-k", "async", "--interface", "asgi", "load_probe:asgi"], KINDS),
    "greenlets": (["-k", "async", "load_probe:application"], PLAIN),
    "threads": (["--threads", "8", "load_probe:application"], PLAIN),
    "sync": (["-k", "sync", "load_probe:application"], ("each", "posted")),
}


@pytest.fixture(params=SERVED)
def loaded(request, start):
    """A server with four workers, and its load."""
    arguments, kinds = SERVED[request.param]
    if request.param == "greenlets":
        pytest.importorskip("gevent", exc_type=ImportError)
    server = start("--python", sys.executable, "--pythonpath", APPS, "-w", "4", "--graceful-timeout", "10",
                   *arguments, env={"PYTHONDONTWRITEBYTECODE": "1"})
    with MixedLoad(server.address, kinds, clients=2) as load:
        load.wait_more(5, "the load begins")
        yield server, load


def test_reloads(loaded):
    server, load = loaded
    for _ in range(13):
        before = set(server.workers())
        server.send(signal.SIGHUP)
        wait_until(lambda: len(now := set(server.workers())) == 4 and not before & now, "new workers", 2 * LONG)
        load.wait_more(3)
    load.check()


def test_upgrades(loaded):
    server, load = loaded
    for _ in range(10):
        assert len(upgrade(server)) == 4
        load.wait_more(3)
    load.check()


def test_killed_workers_take_only_what_they_held(loaded):
    server, load = loaded
    server.allow("SIGKILL|In flight in worker")
    chosen = random.Random(18)
    end = time.monotonic() + KILLING
    while time.monotonic() < end:
        killed = chosen.choice(server.workers())
        before = len(load.lost)
        os.kill(killed, signal.SIGKILL)
        server.wait_log(rf"pid:\s*{killed}\b.*SIGKILL")
        # Who dies young again and again is started again later and later.
        server.wait_workers(4, 4 * LONG)
        load.wait_more(1)
        assert len(load.lost) - before <= load.clients, load.lost[before:]
        calm = time.monotonic() + 1.5
        wait_until(lambda: time.monotonic() > calm, "some time has passed")
