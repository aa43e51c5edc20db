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
def serve(request, start):
    """A server with four workers, and what kinds of clients are to load it."""
    arguments, kinds = SERVED[request.param]
    if request.param == "greenlets":
        pytest.importorskip("gevent", exc_type=ImportError)

    def make(*args, **more):
        server = start("--python", sys.executable, "--pythonpath", APPS, "-w", "4", "--graceful-timeout", "10", *args,
                       *arguments, env={"PYTHONDONTWRITEBYTECODE": "1"}, **more)
        return server, kinds

    return make


@pytest.fixture
def loaded(serve):
    server, kinds = serve()
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


def test_a_stop(serve):
    """Who comes in the last moment is refused, or reset unanswered by the kernel; nobody is cut."""
    server, kinds = serve("-b", "127.0.0.1:0", listen=False)
    with MixedLoad(server.address, kinds, clients=2) as load:
        load.wait_more(5, "the load begins")
        load.check()
        assert server.stop(3 * LONG) == 0
    too_late = ("ConnectionRefusedError", "Unanswered ConnectionResetError")
    assert load.lost and [each for each in load.lost if not any(kind in each for kind in too_late)] == []


def test_a_stop_that_is_announced(serve):
    """A load balancer has the time to send its clients elsewhere."""
    server, kinds = serve("-b", "127.0.0.1:0", "--shutdown-delay", "60", listen=False)
    with MixedLoad(server.address, kinds, clients=2) as load:
        load.wait_more(5, "the load begins")
        server.send(signal.SIGTERM)
        server.wait_log("Handling signal: term")
        load.wait_more(5, "it goes on")
    load.check()
    second = time.monotonic() + 1.1
    wait_until(lambda: time.monotonic() > second, "another signal counts as such")
    assert server.stop(3 * LONG) == 0
