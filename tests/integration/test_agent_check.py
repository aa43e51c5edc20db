# SPDX-License-Identifier: MIT
"""agent_check_bind: the line that HAProxy's agent-check gets."""

import contextlib
import json
import os
import re
import signal
import socket
import sys

import pytest

from harness.addresses import free_port
from harness.paths import ROOT, probe
from harness.upgrades import upgrade
from harness.waiting import LONG, wait_until

APPS = ROOT / "tests" / "integration" / "python_apps"
PYTHON = ("--python", sys.executable, "--pythonpath", APPS)
BIND = ("--agent-check-bind", "127.0.0.1:0")


def address_of(server) -> tuple[str, int]:
    found = re.findall(r"Agent checks answered at: (\S+):(\d+)", server.log())
    return found[-1][0], int(found[-1][1])


def ask(address, sends: bytes = b"") -> str:
    """All that is said, to the end of the connection; a reset fails."""
    with socket.create_connection(address, timeout=LONG) as sock:
        if sends:
            sock.sendall(sends)
        return b"".join(iter(lambda: sock.recv(4096), b"")).decode()


def percent(server) -> int:
    line = re.fullmatch(r"ready up (\d+)%\n", said := ask(address_of(server)))
    assert line, said
    return int(line[1])


def test_a_server_that_is_free(start):
    server = start(*BIND, "-w", 2, probe())
    assert ask(address_of(server)) == "ready up 100%\n"
    # What agent-send has HAProxy send is not waited for, and does not break the answer off.
    for sends in (b"unicoro/app1\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"x" * 3000):
        assert ask(address_of(server), sends) == "ready up 100%\n"
    # The monitor is there for this alone.
    assert len(server.monitors()) == 1
    assert server.get("/").status == 200


def test_clients_that_stay_are_let_go(start):
    server = start(*BIND, probe())
    with contextlib.ExitStack() as open_ones:
        staying = [open_ones.enter_context(socket.create_connection(address_of(server), timeout=LONG)) for _ in range(200)]
        assert ask(address_of(server)) == "ready up 100%\n"
        (pid,) = server.monitors()
        sockets = [path for path in os.scandir(f"/proc/{pid}/fd")]
        assert len(sockets) < 150
        few = len(list(os.scandir(f"/proc/{server.pid}/fd"))) + 20
        wait_until(lambda: len(list(os.scandir(f"/proc/{pid}/fd"))) < few, "they were let go")
        for each in staying:
            assert each.recv(100) == b"ready up 100%\n"


BOUNDS = {
    "requests": (["-k", "async", "--max-concurrent-requests", 4], 2),
    "connections": (["-k", "async", "--worker-connections", 4], 2),
    "threads": (["--threads", 4], 2),
    "sync": (["-k", "sync"], 4),
}


@pytest.mark.parametrize("bound", BOUNDS)
def test_the_share_that_is_free(start, tmp_path, bound):
    args, workers = BOUNDS[bound]
    if "async" in args:
        pytest.importorskip("gevent", exc_type=ImportError)
    gate = tmp_path / "open"
    server = start(*BIND, *PYTHON, "-w", workers, *args, "stuck_probe:app")
    assert percent(server) == 100
    clients = []
    for _ in range(2):
        clients.append(server.client())
        clients[-1].request(f"/sleep?until={gate}")
    places = workers if bound == "sync" else 4 * workers
    wait_until(lambda: percent(server) == round(100 * (1 - 2 / places)), "two are busy")
    gate.write_text("")
    for client in clients:
        assert client.response().status == 200
        client.close()
    wait_until(lambda: percent(server) == 100, "all of it is free again")


def test_one_that_has_all_to_do_is_not_drained(start, gate):
    server = start(*BIND, "-w", 1, "-k", "async", "--max-concurrent-requests", 1, probe())
    with server.client() as first, server.client() as second:
        for client in (first, second):
            client.request(f"/hold?gate={gate.path}")
        gate.wait_entered()
        wait_until(lambda: percent(server) == 1, "nothing is free")
        for client in (first, second):
            gate.release()
        assert {first.response().status, second.response().status} == {200}


def test_too_few_workers(start):
    server = start(*BIND, "-w", 2, "--ready-workers", 2, probe())
    assert percent(server) == 100
    server.send(signal.SIGTTOU)
    wait_until(lambda: ask(address_of(server)) == "down #1 of 2 workers are ready\n", "it is down")
    server.send(signal.SIGTTIN)
    wait_until(lambda: ask(address_of(server)) == "ready up 100%\n", "it is up again")


def test_a_stop_that_is_announced(start):
    server = start(*BIND, "--shutdown-delay", 60, probe())
    server.send(signal.SIGTERM)
    wait_until(lambda: ask(address_of(server)) == "drain\n", "it is to be drained")
    assert server.get("/").status == 200
    server.send(signal.SIGQUIT)
    assert server.wait_exit(2 * LONG) == 0


def test_its_socket_outlives_an_upgrade_and_moves_with_a_reload(start, tmp_path):
    config = tmp_path / "unicoro.json"
    ports = [free_port(), free_port()]
    config.write_text(json.dumps({"agent_check_bind": [f"127.0.0.1:{ports[0]}"]}))
    server = start("-c", config, probe())
    upgrade(server)
    assert ask(("127.0.0.1", ports[0])).startswith("ready up ")
    config.write_text(json.dumps({"agent_check_bind": [f"127.0.0.1:{ports[1]}"]}))
    server.send(signal.SIGHUP)

    def answers(port):
        try:
            return ask(("127.0.0.1", port)).startswith("ready up ")
        except ConnectionError:
            return False

    wait_until(lambda: answers(ports[1]), "it answers there")
    wait_until(lambda: not answers(ports[0]), "and no more where it was")
    config.write_text("{}")
    server.send(signal.SIGHUP)
    wait_until(lambda: not server.monitors(), "without an address there is no monitor")


@pytest.mark.parametrize("value, why", [
    ("unix:agent.sock", r"HAProxy asks over TCP, write HOST:PORT"),
    ("127.0.0.1:8123", r"is an address of .*bind"),
    ("127.0.0.1:8124", r"is an address of .*admin.bind"),
    ("127.0.0.1", r""),
])
def test_addresses(command, value, why):
    done = command("-b", "127.0.0.1:8123", "--admin-bind", "127.0.0.1:8124", "--agent-check-bind", value, "--check-config",
                   probe())
    if not why:
        assert done.returncode == 0, done.stderr
        return
    assert done.returncode != 0
    assert re.search(f"agent.check.bind.*{why}", done.stderr), done.stderr


def test_commands_do_not_take_it_for_the_monitors_own(start, command):
    server = start(*BIND, "--admin-bind", "127.0.0.1:0", probe())
    for _ in range(3):
        done = command("status", "--pid", server.pid)
        assert done.returncode == 0, done.stderr
    alone = start(*BIND, probe())
    done = command("status", "--pid", alone.pid)
    assert done.returncode == 3
    assert "has no admin_bind" in done.stderr


def test_an_address_that_is_taken(start, command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = command("-b", "127.0.0.1:0", "--agent-check-bind", f"127.0.0.1:{taken.getsockname()[1]}", probe())
    assert done.returncode == 1
    assert "agent_check_bind" in done.stderr and "in use" in done.stderr
