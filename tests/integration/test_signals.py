# SPDX-License-Identifier: MIT
"""The signals of gunicorn's table, sent to the master."""

import http.client
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from harness import processes
from harness.load import Load
from harness.paths import HELLO, probe
from harness.waiting import wait_until

APPS = Path(__file__).parent / "python_apps"


def test_term_lets_a_request_finish(start, gate):
    server = start("--keep-alive", "60", probe())
    with server.client() as busy, server.client() as idle:
        idle.get("/pid")
        busy.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        server.send(signal.SIGTERM)
        server.wait_log("Handling signal: term")
        assert idle.closed_by_server()
        assert server.child.running
        gate.release()
        answer = busy.response()
        assert answer.status == 200
        assert answer.header("Connection") == "close"
        assert busy.closed_by_server()
    assert server.wait_exit() == 0


def cut_short(client) -> None:
    """What a request gets that is not waited for."""
    answer = client.response()
    assert answer.status == 503
    assert answer.header("Connection") == "close"
    assert client.closed_by_server()


def test_term_gives_up_at_graceful_timeout(start, gate):
    server = start("--graceful-timeout", "0.3", probe())
    server.allow("graceful_timeout")
    with server.client() as busy:
        busy.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        began = time.monotonic()
        assert server.stop() == 0
        assert 0.25 < time.monotonic() - began < 4
        cut_short(busy)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_quick_stop_cuts_requests(start, gate, number):
    server = start("--graceful-timeout", "60", probe())
    with server.client() as busy:
        busy.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        began = time.monotonic()
        server.send(number)
        assert server.wait_exit() == 0
        assert time.monotonic() - began < 2
        cut_short(busy)


def test_quick_stop_during_a_graceful_one(start, gate):
    server = start("--graceful-timeout", "60", probe())
    with server.client() as busy:
        busy.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        server.send(signal.SIGTERM)
        server.wait_log("Handling signal: term")
        server.send(signal.SIGINT)
        assert server.wait_exit(4) == 0


def test_ctrl_c_ends_quietly(start):
    server = start("-w", "2", probe())
    # The terminal sends it to the whole foreground group.
    os.killpg(server.pid, signal.SIGINT)
    assert server.wait_exit(4) == 0
    assert server.output() == ""
    log = server.log()
    assert "[INFO] Handling signal: int\n" in log
    assert log.endswith("[INFO] Shutting down: Master\n")
    assert "[WARNING]" not in log


def test_hup_replaces_workers_without_losing_a_request(start):
    server = start("-w", "2", probe())
    before = server.workers()
    with Load(server.address) as load:
        wait_until(lambda: load.answered > 20, "load")
        server.send(signal.SIGHUP)
        server.wait_log("Reload complete")
        after = wait_until(
            lambda: (now := server.workers()) and len(now) == 2 and not set(now) & set(before) and now,
            "new workers",
        )
        seen = load.answered
        wait_until(lambda: load.answered > seen + 20, "load on the new workers")
    assert load.lost == []
    assert {int(pid) for pid in load.bodies[-10:]} <= set(after)
    server.notices.wait_for("RELOADING=1")
    server.notices.wait_for("READY=1")


def test_hup_reads_the_file_anew(start, tmp_path):
    server = start(config={"app": probe(), "raw_env": {"PROBE_A": "old"}})
    assert server.get("/environ?name=PROBE_A").text == "old"
    changed = {"app": probe(), "workers": 3, "raw_env": {"PROBE_A": "new"}}
    (tmp_path / "unicoro.json").write_text(json.dumps(changed))
    server.send(signal.SIGHUP)
    server.wait_log("Reload complete")
    server.wait_workers(3)
    assert server.get("/environ?name=PROBE_A").text == "new"
    server.workers_when_ready = 0


@pytest.mark.parametrize("text", ['{"workers": -1}', '{"wokers": 2}', "{", ""])
def test_hup_with_a_bad_file_changes_nothing(start, tmp_path, text):
    server = start(probe(), config={"workers": 1})
    before = server.workers()
    server.allow(r"Reload")
    (tmp_path / "unicoro.json").write_text(text)
    server.send(signal.SIGHUP)
    server.wait_log(r"\[ERROR\] Reload: .*unicoro\.json")
    server.wait_log(r"Reload refused")
    assert server.workers() == before
    assert int(server.get("/pid").text) == before[0]
    (tmp_path / "unicoro.json").write_text('{"workers": 2}')
    server.send(signal.SIGHUP)
    server.wait_log("Reload complete")
    server.workers_when_ready = 0


def test_hup_with_a_broken_application_keeps_the_old_workers(start, tmp_path):
    broken = tmp_path / "broken"
    server = start("-w", "2", "-e", f"PROBE_BROKEN={broken}", probe("breakable"))
    server.allow(r"Reload failed|broken by the test|exited with code 3")
    before = server.workers()
    broken.touch()
    with Load(server.address) as load:
        server.send(signal.SIGHUP)
        server.wait_log(r"Reload failed: Worker failed to boot")
        assert server.wait_workers(2) == before
    assert load.lost == []
    broken.unlink()
    server.send(signal.SIGHUP)
    server.wait_log("Reload complete")
    assert not set(server.wait_workers(2)) & set(before)


def test_hup_waits_for_the_new_worker_to_be_ready(start, make_gate, tmp_path):
    gate = make_gate()
    server = start("-e", f"PROBE_GATE={gate.path}", probe("gated"), ready=False)
    gate.wait_entered()
    gate.release()
    server.wait_ready()
    (old,) = server.workers()
    server.send(signal.SIGHUP)
    gate.wait_entered()
    assert int(server.get("/pid").text) == old
    gate.release()
    server.wait_log("Reload complete")
    assert server.wait_workers(1) != [old]


def test_ttin_and_ttou(start):
    server = start(probe())
    first = server.workers()
    server.send(signal.SIGTTIN)
    two = server.wait_workers(2)
    assert two[0] == first[0]
    server.send(signal.SIGTTIN)
    server.wait_workers(3)
    for count in (2, 1):
        server.wait_log("Handling signal: ttin")
        wait_until(lambda: _all_serve(server), "the new workers serve")
        server.send(signal.SIGTTOU)
        server.wait_workers(count)
    (last,) = server.workers()
    assert last not in first, "the oldest goes first"
    server.send(signal.SIGTTOU)
    wait_until(lambda: server.log().count("Handling signal: ttou") == 3, "the third TTOU")
    assert server.workers() == [last], "one worker always stays"


def _all_serve(server) -> bool:
    """Asks until each worker has answered once."""
    left = set(server.workers())
    for _ in range(200):
        left.discard(int(server.get("/pid").text))
        if not left:
            return True
    return False


def test_usr1_reopens_the_logs(start, tmp_path):
    error, access = tmp_path / "error.log", tmp_path / "access.log"
    server = start("--error-logfile", error, "--access-logfile", access, probe())
    server.error_log = error
    server.get("/pid?n=1")
    wait_until(lambda: "n=1" in access.read_text(), "the first access line")
    os.rename(error, tmp_path / "error.1")
    os.rename(access, tmp_path / "access.1")
    server.send(signal.SIGUSR1)
    wait_until(lambda: error.exists() and access.exists(), "new files")
    # The worker has a signal of its own: until it comes, lines go to the renamed file.
    wait_until(
        lambda: server.get("/pid?n=2").status == 200 and "n=2" in access.read_text(),
        "a line in the new file",
    )
    server.send(signal.SIGTTIN)
    server.wait_log("Handling signal: ttin")
    assert "ttin" not in (tmp_path / "error.1").read_text()
    server.wait_workers(2)


def test_usr1_while_a_worker_imports(start, tmp_path):
    """It has no handler yet, and lives; it gets the new file."""
    pipe, log = tmp_path / "pipe", tmp_path / "access.log"
    os.mkfifo(pipe)
    server = start(
        "--pythonpath", APPS, "--python", sys.executable, "--access-logfile", log, "slow_import_probe:app",
        env={"IMPORT_WAITS_FOR": str(pipe)}, ready=False,
    )

    def writer():
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return None

    gate = wait_until(writer, "the import waits")
    workers = server.workers()
    os.rename(log, tmp_path / "access.log.1")
    server.send(signal.SIGUSR1)
    server.wait_log("Handling signal: usr1")
    wait_until(log.exists, "the new file")
    os.close(gate)
    server.wait_ready()
    assert server.workers() == workers
    wait_until(lambda: server.get("/").status == 200 and log.read_text() != "", "lines in the new file")


def test_winch_is_ignored_in_the_foreground(start):
    server = start(probe())
    before = server.workers()
    server.send(signal.SIGWINCH)
    server.wait_log("Handling signal: winch")
    server.send(signal.SIGTTIN)
    assert server.wait_workers(2)[0] == before[0]


def test_signals_to_a_worker(start, gate):
    server = start("-w", "1", probe())
    (worker,) = server.workers()
    with server.client() as busy:
        busy.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        processes.kill(worker, signal.SIGTERM)
        new = wait_until(
            lambda: [pid for pid in server.workers() if pid != worker], "a replacement"
        )
        gate.release()
        assert busy.response().status == 200
    wait_until(lambda: server.workers() == new, "the old worker ends")


def test_hello_under_every_reload(start):
    server = start("-k", "async", HELLO)
    with Load(server.address, target="/", per_connection=0) as load:
        for count in range(3):
            server.send(signal.SIGHUP)
            wait_until(
                lambda: server.log().count("Reload complete") == count + 1, f"reload {count + 1}"
            )
    assert load.lost == []
    assert load.answered > 0


def test_no_request_is_lost_while_workers_are_replaced(start):
    """Clients that keep asking on kept connections, as a proxy does: the keep-alive that they were promised
    is kept until one more answer has said that it ends."""
    server = start("-w", "2", probe())
    over = threading.Event()
    failures, answered = [], [0] * 16

    def ask(number):
        connection = http.client.HTTPConnection(*server.address, timeout=10)
        while not over.is_set():
            try:
                connection.request("GET", "/print")
                connection.getresponse().read()
                answered[number] += 1
            except (OSError, http.client.HTTPException) as failure:
                failures.append(repr(failure))
                connection.close()

    def all_were_answered_again():
        before = list(answered)
        wait_until(
            lambda: all(now > then for now, then in zip(answered, before)), "each client has an answer"
        )

    clients = [threading.Thread(target=ask, args=(number,)) for number in range(len(answered))]
    for each in clients:
        each.start()
    for _ in range(5):
        all_were_answered_again()
        before = set(server.workers())
        server.send(signal.SIGHUP)
        wait_until(
            lambda: len(now := server.workers()) == 2 and not before & set(now), "both workers are new"
        )
        all_were_answered_again()
    over.set()
    for each in clients:
        each.join()
    assert failures == []
