# SPDX-License-Identifier: MIT
"""--preload: a process that loads the application and forks the workers; a reload makes another one."""

import json
import os
import re
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from harness import processes
from harness.mixed_load import KINDS, MixedLoad
from harness.paths import ROOT
from harness.waiting import LONG, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
SITE = """
import os, load_probe, _unicoro
LOADED_IN = os.getpid()
BIG = [os.urandom(1) * 1000 for _ in range(60_000)]
NAME = "first"

def application(environ, start_response):
    if environ["PATH_INFO"] != "/facts":
        return load_probe.application(environ, start_response)
    start_response("200 OK", [])
    return [f"{NAME} {LOADED_IN} {os.getpid()} {os.getppid()} {_unicoro.stopping():d}".encode()]

async def asgi(scope, receive, send):
    await load_probe.asgi(scope, receive, send)
"""
# What is written down is where it hangs.
HANGING = """
import pathlib, threading
def stuck_here():
    threading.Event().wait()
pathlib.Path(__file__ + ".in").touch()
stuck_here()
"""
CLASSES = {
    "sync": (["-k", "sync", "site_app:application"], ("each", "posted")),
    "threads": (["--threads", "4", "site_app:application"], ("kept", "each", "idle", "posted")),
    "gevent": (["-k", "async", "site_app:application"], ("kept", "each", "idle", "posted", "events")),
    "asgi": (["-k", "async", "--interface", "asgi", "site_app:asgi"], KINDS),
}


class Site:
    def __init__(self, folder, start):
        self.folder, self.start = folder, start
        self.write(SITE)

    def write(self, text):
        new = self.folder / "site_app.py.new"
        new.write_text(text)
        new.rename(self.folder / "site_app.py")

    def hang(self):
        """From now on whoever loads it hangs; returns what waits until somebody does."""
        self.write(HANGING)
        sign = self.folder / "site_app.py.in"
        sign.unlink(missing_ok=True)
        return lambda: wait_until(sign.exists, "it is being loaded")

    def serve(self, *args, preload=True, **more):
        more = ["--preload"] * preload + [str(each) for each in args], more
        return self.start("--python", sys.executable, "--pythonpath", f"{APPS},{self.folder}", "--graceful-timeout",
                          "10", *more[0], env={"PYTHONDONTWRITEBYTECODE": "1"}, **more[1])


@pytest.fixture
def site(start, tmp_path):
    return Site(tmp_path, start)


def facts(server):
    name, *pids = server.get("/facts").text.split()
    return name, *map(int, pids)


def descriptors(pid):
    """What they are, without numbers."""
    kinds = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        try:
            kinds.append(re.sub(r"\d+|.*/(?=std)", "", os.readlink(each)))
        except FileNotFoundError:
            pass
    return sorted(kinds)


def memory(pid, field="Pss"):
    """In MiB."""
    return int(re.search(rf"^{field}: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1]) / 1024


@pytest.mark.parametrize("worker", CLASSES)
def test_reloads_good_and_bad_under_load(site, worker):
    if worker == "gevent":
        pytest.importorskip("gevent", exc_type=ImportError)
    arguments, kinds = CLASSES[worker]
    server = site.serve("-w", "4", *arguments)
    server.allow("Reload failed|App failed|exited with code|Traceback|File|not today|site_app|raise|Error")
    with MixedLoad(server.address, kinds, clients=2) as load:
        load.wait_more(5)
        for number in range(3):
            before, former = set(server.workers()), server.preloaders()
            site.write(SITE.replace("first", f"number{number}"))
            server.send(signal.SIGHUP)
            wait_until(lambda: len(now := set(server.workers())) == 4 and not before & now, "new workers", 3 * LONG)
            wait_until(lambda: len(now := server.preloaders()) == 1 and now != former, "the former one has gone")
            load.wait_more(3)
            if worker != "asgi":
                assert facts(server)[0] == f"number{number}"
        # What ends has no name for a moment, as what has just been forked has that of the master.
        workers, holder = server.wait_workers(4), server.preloaders()
        site.write("raise ValueError('not today')\n")
        server.send(signal.SIGHUP)
        server.wait_log("Reload failed: App failed to load", 2 * LONG)
        assert "ValueError: not today" in server.log()
        load.wait_more(3)
        wait_until(lambda: server.workers() == workers and server.preloaders() == holder, "all is as it was")
    load.check()


def test_who_is_who(site):
    server = site.serve("-w", "2", "site_app:application")
    (holder,) = server.preloaders()
    _, loaded_in, worker, parent, _ = facts(server)
    assert (loaded_in, parent) == (holder, server.pid)
    assert worker in server.workers()
    assert processes.children(holder) == []
    assert server.stop() == 0


@pytest.mark.needs_plain_build("what processes have in memory is measured")
def test_memory_is_shared_and_the_master_has_none_of_it(site):
    # 60,000 objects of 1 kB: the size of a fair number of modules.
    sums = {}
    for preload in (False, True):
        server = site.serve("-w", "8", "-k", "sync", "site_app:application", preload=preload)
        for _ in range(16):
            server.get("/facts")
        sums[preload] = sum(memory(pid) for pid in [*server.workers(), *server.preloaders()])
        assert memory(server.pid, "Rss") < 50
        server.stop()
    print(f"8 workers: {sums[False]:.0f} MiB by themselves, {sums[True]:.0f} MiB preloaded")
    assert sums[True] < sums[False] / 3


def test_one_that_dies_is_made_again(site):
    server = site.serve("-w", "2", "site_app:application")
    server.allow("was sent SIGKILL")
    workers, (holder,) = server.workers(), server.preloaders()
    processes.kill(holder, signal.SIGKILL)
    server.wait_log(rf"\[ERROR\] The process that has the application \(pid:{holder}\) was sent SIGKILL!")
    (fresh,) = wait_until(lambda: len(now := server.preloaders()) == 1 and now != [holder] and now, "another one")
    assert server.workers() == workers
    processes.kill(workers[0], signal.SIGKILL)
    new = wait_until(lambda: set(server.workers()) - set(workers), "a worker of the new one").pop()
    wait_until(lambda: any(facts(server)[1:3] == (fresh, new) for _ in range(8)), "it serves")


def test_an_import_that_hangs_is_ended_and_shows_where(site):
    server = site.serve("-w", "1", "site_app:application", "--boot-timeout", "4")
    server.allow("boot_timeout|SIGABRT|SIGKILL|exited with|Fatal|thread|File")
    before = server.workers()
    site.hang()
    server.send(signal.SIGHUP)
    server.wait_log(r"\[ERROR\] The process that loads the application \(pid:\d+\) is not ready after boot_timeout")
    server.wait_log("in stuck_here")
    wait_until(lambda: server.workers() == before, "the workers that were")
    site.write(SITE.replace("first", "second"))
    server.wait_log("Reload complete", 3 * LONG)
    assert facts(server)[0] == "second"


def test_a_worker_has_the_descriptors_that_any_other_has(site):
    found = {}
    for preload in (False, True):
        # Two of each: nothing of the one before is in the second.
        server = site.serve("-w", "2", "-k", "sync", "site_app:application", preload=preload)
        server.send(signal.SIGHUP)
        server.wait_log("Reload complete")
        wait_until(lambda: len(server.workers()) == 2 and len(server.preloaders()) == preload, "the new ones alone")
        found[preload] = [descriptors(pid) for pid in server.workers()]
        if preload:
            (holder,) = server.preloaders()
            held = descriptors(holder)
        server.stop()
    assert found[True] == found[False]
    # Its own: what it is ordered by, and the socket that it hands on.
    assert held.count("anon_inode:[signalfd]") == 1 and held.count("socket:[]") == 2, held


def test_the_master_waits_for_no_fork(site):
    server = site.serve("-w", "2", "site_app:application")
    server.allow("SIGKILL")
    workers, (holder,) = server.workers(), server.preloaders()
    os.kill(holder, signal.SIGSTOP)
    processes.kill(workers[0], signal.SIGKILL)
    server.wait_log(rf"Worker \(pid:{workers[0]}\) was sent SIGKILL")
    access = server.log().count("Handling signal: usr1")
    server.send(signal.SIGUSR1)
    wait_until(lambda: server.log().count("Handling signal: usr1") > access, "the master takes signals", LONG / 5)
    assert facts(server)[2] == workers[1]
    os.kill(holder, signal.SIGCONT)
    server.wait_workers(2)
    assert server.preloaders() == [holder]


def test_a_stop_does_not_wait_for_it(site):
    server = site.serve("-w", "2", "site_app:application")
    server.allow("SIGKILL")
    (holder,), victim = server.preloaders(), server.workers()[0]
    os.kill(holder, signal.SIGSTOP)
    processes.kill(victim, signal.SIGKILL)
    server.wait_log(rf"Worker \(pid:{victim}\) was sent SIGKILL")
    assert server.stop() == 0
    assert not processes.alive(holder)


def test_it_dies_with_a_worker(site):
    """The order that the worker's end leads to goes to the next one."""
    server = site.serve("-w", "3", "site_app:application")
    server.allow("was sent SIGKILL")
    for _ in range(5):
        (holder,), victim = server.preloaders(), server.workers()[0]
        os.kill(server.pid, signal.SIGSTOP)
        for each in (victim, holder):
            processes.kill(each, signal.SIGKILL)
        os.kill(server.pid, signal.SIGCONT)
        (fresh,) = wait_until(lambda: len(now := server.preloaders()) == 1 and now != [holder] and now, "another one")
        wait_until(lambda: victim not in server.workers() and len(server.workers()) == 3, "three workers")
        new = server.workers()[-1]
        wait_until(lambda: any(facts(server)[1:3] == (fresh, new) for _ in range(8)), "one of the new one serves")


def test_what_comes_while_it_loads(site):
    server = site.serve("-w", "2", "site_app:application")
    server.allow(r"\[ERROR\] (The process that loads|Reload failed)")
    before, (holder,) = server.workers(), server.preloaders()

    def loading():
        (pid,) = wait_until(lambda: len(new := set(server.preloaders()) - {holder}) == 1 and new, "another one")
        return pid

    # It is killed, and tried again.
    entered = site.hang()
    server.send(signal.SIGHUP)
    entered()
    first = loading()
    processes.kill(first, signal.SIGKILL)
    server.wait_log(rf"\[ERROR\] The process that loads the application \(pid:{first}\) was sent SIGKILL!")
    wait_until(lambda: loading() != first, "it is made again")
    # Another reload, with an upgrade behind it.
    second = loading()
    site.write(SITE.replace("first", "second"))
    server.send(signal.SIGHUP)
    wait_until(lambda: second not in server.preloaders(), "the one that hangs has gone")
    server.send(signal.SIGUSR2)
    server.wait_log("Upgrade complete: 2 new workers serve", 4 * LONG)
    wait_until(lambda: len(server.workers()) == 2 and not set(before) & set(server.workers()), "new workers")
    wait_until(lambda: len(server.preloaders()) == 1, "one of them is left")
    (holder,) = server.preloaders()
    assert facts(server)[:2] == ("second", holder)
    # A stop.
    entered = site.hang()
    server.send(signal.SIGHUP)
    entered()
    assert server.stop() == 0


def test_a_worker_that_comes_during_a_delayed_stop_knows_of_it(site):
    server = site.serve("-w", "1", "site_app:application", "--shutdown-delay", "60")
    server.allow("SIGKILL")
    (worker,) = server.workers()
    server.send(signal.SIGTERM)
    server.wait_log("shutdown_delay: serving")
    processes.kill(worker, signal.SIGKILL)
    wait_until(lambda: (now := server.workers()) and now != [worker], "another worker")
    assert facts(server)[4] == 1
    server.send(signal.SIGINT)
    assert server.wait_exit() == 0


def test_a_connection_goes_to_who_has_the_fewest(site):
    server = site.serve("-w", "4", "--threads", "4", "--keep-alive", "60", "site_app:application")
    wait_until(lambda: server.log().count("Worker ready") == 4, "all workers serve")
    for _ in range(4):
        clients = [server.client() for _ in range(100)]
        shares = Counter(client.get("/pid").text for client in clients)
        for client in clients:
            client.close()
        if max(shares.values()) <= 32:
            return
    raise AssertionError(shares)


def test_recycling(site):
    server = site.serve("-w", "4", "--threads", "4", "site_app:application", "--max-worker-lifetime", "0.5")
    with MixedLoad(server.address, ("kept", "each", "posted"), clients=2) as load:
        wait_until(lambda: len(load.workers) >= 10, "workers are replaced", 4 * LONG)
    load.check()
    # What forks a worker in its place is there for a moment.
    wait_until(lambda: len(server.preloaders()) == 1, "one preloads")


def test_logs_that_are_reopened_reach_later_workers(site, tmp_path):
    access = tmp_path / "access.log"
    server = site.serve("-w", "1", "site_app:application", "--access-logfile", access)
    server.allow("SIGKILL")
    access.rename(tmp_path / "access.old")
    server.send(signal.SIGUSR1)
    wait_until(access.exists, "the new file")
    (worker,) = server.workers()
    processes.kill(worker, signal.SIGKILL)
    wait_until(lambda: (now := server.workers()) and now != [worker], "another worker")
    server.get("/pid")
    wait_until(lambda: "/pid" in access.read_text(), "its line is in the new file")


def test_it_can_be_switched_on_and_off_by_a_reload(site, start, tmp_path):
    settings = {"app": "site_app:application", "pythonpath": [str(APPS), str(tmp_path)], "python": sys.executable}
    server = start(config=settings, env={"PYTHONDONTWRITEBYTECODE": "1"})
    file = next(tmp_path.rglob("unicoro.json"))
    assert server.preloaders() == []
    for preload in (True, False):
        before = server.workers()
        file.write_text(json.dumps(settings | {"preload_app": preload}))
        server.send(signal.SIGHUP)
        wait_until(lambda: (now := server.workers()) and now != before and len(now) == 1, "a new worker")
        wait_until(lambda: len(server.preloaders()) == preload, "what preloads")
        _, loaded_in, worker, *_ = facts(server)
        assert (loaded_in == worker) != preload


def test_the_end_of_the_master_is_that_of_all(site):
    server = site.serve("-w", "2", "site_app:application")
    server.allow("the master has died")
    entered = site.hang()
    server.send(signal.SIGHUP)
    entered()
    all_of_them = server.workers() + wait_until(lambda: len(now := server.preloaders()) == 2 and now, "both")
    processes.kill(server.pid, signal.SIGKILL)
    server.wait_exit()
    for pid in all_of_them:
        wait_until(lambda pid=pid: processes.state(pid) == "Z", "it ends with the master")
        os.waitpid(pid, 0)
