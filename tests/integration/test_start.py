# SPDX-License-Identifier: MIT
"""A start that goes well: what it says, what runs then, and what the application gets."""

import os
import re

import pytest

from harness import processes
from harness.paths import LAMBDA, probe

LINE = re.compile(
    r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[(\d+)\] \[(DEBUG|INFO|WARNING)\] \S.*"
)


def test_start_up_lines(start):
    server = start("-k", "async", probe())
    log = server.log()
    host, port = server.address
    assert re.search(r"\[INFO\] Starting unicoro \d+\.\d+\.\d+\n", log)
    assert f"[INFO] Listening at: http://{host}:{port} ({server.pid})\n" in log
    assert "[INFO] Using worker: async\n" in log
    assert f"[INFO] Application: {probe()}\n" in log
    (worker,) = server.workers()
    assert f"[{worker}] [INFO] Booting worker with pid: {worker}\n" in log
    for line in log.splitlines():
        assert LINE.fullmatch(line), line


def test_ready_names_the_main_process(start):
    server = start(probe())
    (ready,) = [text for text in server.notices.seen if "READY=1" in text]
    assert f"MAINPID={server.pid}" in ready.splitlines()


def test_stop_is_told_and_ends_with_zero(start):
    server = start(probe())
    assert server.stop() == 0
    server.notices.wait_for("STOPPING=1")
    assert "[INFO] Handling signal: term\n" in server.log()
    assert server.log().endswith("[INFO] Shutting down: Master\n")


@pytest.mark.parametrize("count", [1, 3])
def test_number_of_workers(start, count):
    server = start("-w", count, probe())
    workers = server.workers()
    assert len(workers) == count
    assert int(server.get("/pid").text) in workers


def test_process_titles(start):
    server = start("-n", "shop", probe())
    assert processes.title(server.pid) == "unicoro: master [shop]"
    (worker,) = server.workers()
    assert processes.title(worker) == "unicoro: worker [shop]"


def test_environment_and_folder(start, tmp_path):
    (tmp_path / "inside").mkdir()
    server = start("-e", "PROBE_A=1", "-e", "PROBE_B=x=y", "--chdir", "inside", probe())
    assert server.get("/environ?name=PROBE_A").text == "1"
    assert server.get("/environ?name=PROBE_B").text == "x=y"
    assert server.get("/cwd").text == str(tmp_path / "inside")


def test_relative_library_is_found_from_chdir(start, tmp_path):
    (tmp_path / "inside").mkdir()
    os.symlink(probe().removesuffix(":app"), tmp_path / "inside" / "libthere.so")
    server = start("--chdir", "inside", "./libthere.so:app")
    assert server.get("/").status == 200


def test_application_from_the_file(start):
    server = start(config={"app": probe(), "workers": 2})
    assert len(server.workers()) == 2


def test_hooks_and_background_tasks(start, tmp_path):
    note = tmp_path / "stopped"
    server = start("-e", f"PROBE_STOPPED={note}", probe())
    (worker,) = server.workers()
    with server.client() as client:
        first = int(client.get("/background").text)
        while int(client.get("/background").text) <= first:
            pass
    assert server.stop() == 0
    assert note.read_text() == f"{worker}\n"


def test_service_variables_are_not_inherited(start):
    server = start(probe())
    for name in ("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID"):
        assert server.get(f"/environ?name={name}").text == "", name


def test_coroutines_of_an_application_may_be_lambdas(start):
    server = start("-k", "async", LAMBDA)
    assert server.get("/").text == "from a lambda\n"
    assert server.get("/", body=b"told").text == "told"
