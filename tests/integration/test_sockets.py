# SPDX-License-Identifier: MIT
"""Where the server listens."""

import json
import os
import random
import re
import signal
import socket
import stat
import time
from pathlib import Path

import pytest

from harness.client import Client, get
from harness.paths import HELLO, probe
from harness.server import listening_socket
from harness.waiting import wait_until
from test_process import free_port


def test_port_zero_and_several_addresses(start):
    server = start("-b", "127.0.0.1:0", "-b", "127.0.0.1:0", HELLO, listen=False)
    first, second = server.addresses()
    assert first[1] != second[1] and 0 not in (first[1], second[1])
    for address in (first, second):
        assert get(address).status == 200


def test_ipv6(start):
    server = start("-b", "[::1]:0", HELLO, listen=False)
    (address,) = server.addresses()
    assert address[0] == "::1"
    assert get(address).status == 200


def free_everywhere() -> int:
    """A port that no socket of IPv4 or IPv6 has: not one of those that clients are given."""
    for port in random.sample(range(15000, 32000), 100):
        try:
            with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True):
                return port
        except OSError:
            continue
    raise AssertionError("no free port")


def bindv6only() -> bool:
    return Path("/proc/sys/net/ipv6/bindv6only").read_text().strip() != "0"


def answered(port: int) -> set[str]:
    """Which of the two loopback addresses a client reaches."""
    found = set()
    for host in ("127.0.0.1", "::1"):
        try:
            if get((host, port)).status == 200:
                found.add(host)
        except ConnectionRefusedError:
            pass
    return found


BOTH = {"127.0.0.1", "::1"}


@pytest.mark.parametrize("more", [[], ["--reuse-port"], ["--reuse-port", "-w", "2"]])
def test_ipv6_takes_ipv4_as_the_system_has_it(start, more):
    port = free_everywhere()
    server = start("-b", f"[::]:{port}", *more, HELLO, listen=False)
    assert answered(port) == ({"::1"} if bindv6only() else BOTH)
    assert server.addresses() == [("::", port)]


@pytest.mark.parametrize(("mode", "expected"), [("on", {"::1"}), ("off", BOTH)])
@pytest.mark.parametrize("more", [[], ["--reuse-port"]])
def test_ipv6_only(start, mode, expected, more):
    port = free_everywhere()
    start("-b", f"[::]:{port}", "--ipv6-only", mode, *more, HELLO, listen=False)
    assert answered(port) == expected


@pytest.mark.parametrize("other", ["0.0.0.0", "127.0.0.1", "localhost", ""])
@pytest.mark.parametrize("more", [[], ["--reuse-port"]])
@pytest.mark.parametrize("first", [True, False])
def test_ipv6_beside_ipv4(start, other, more, first):
    port = free_everywhere()
    pair = [f"[::]:{port}", f"{other}:{port}"]
    binds = [arg for each in (pair if first else reversed(pair)) for arg in ("-b", each)]
    start(*binds, *more, HELLO, listen=False)
    assert answered(port) == BOTH


def test_ipv6_with_ipv4_has_no_room_for_ipv4(command):
    done = command("-b", "[::]:8765", "-b", "0.0.0.0:8765", "--ipv6-only", "off", HELLO)
    assert done.returncode == 2
    assert re.search('ipv6-only.*"\\[::\\]:8765" takes IPv4 too, and "0.0.0.0:8765".*remove one', done.stderr)


def test_hup_cannot_turn_a_socket_of_ipv6(start, tmp_path):
    port = free_everywhere()
    config = tmp_path / "unicoro.json"
    server = start(config={"app": HELLO, "bind": f"[::]:{port}", "ipv6_only": "off"}, listen=False)
    server.allow("Reload")
    config.write_text(json.dumps({"app": HELLO, "bind": [f"[::]:{port}", f"0.0.0.0:{port}"]}))
    server.send(signal.SIGHUP)
    server.wait_log(r"Reload: http://\[::\]:\d+ takes IPv4 connections, which cannot change .*restart instead")
    assert answered(port) == BOTH
    config.write_text(json.dumps({"app": HELLO, "bind": f"[::]:{port}", "ipv6_only": "off", "workers": 2}))
    server.send(signal.SIGHUP)
    server.wait_log("Reload complete")


def test_a_client_of_ipv4_on_a_socket_of_ipv6_is_who_it_is(start):
    """Trusted as its IPv4 address is; shown as the system and gunicorn show it."""
    port = free_everywhere()
    server = start(
        "-b", f"[::]:{port}", "--ipv6-only", "off", "--access-logfile", "-", "--access-logformat", "%(h)s", HELLO,
        listen=False,
    )
    assert get(("127.0.0.1", port)).status == 200
    wait_until(lambda: server.output() == "::ffff:127.0.0.1\n", "the line of the request")


def test_hup_frees_the_address_it_leaves(start, tmp_path):
    """Workers born while both were there do not hold the old one."""
    first, second = free_port(), free_port()
    config = tmp_path / "unicoro.json"
    server = start(config={"app": HELLO, "bind": f"127.0.0.1:{first}", "workers": 2}, listen=False)
    config.write_text(json.dumps({"app": HELLO, "bind": f"127.0.0.1:{second}", "workers": 2}))
    server.send(signal.SIGHUP)
    server.wait_log("Reload complete")
    server.wait_workers(2)
    assert get(("127.0.0.1", second)).status == 200

    def refused():
        try:
            Client(("127.0.0.1", first), timeout=1).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False

    wait_until(refused, "nobody listens there any more")


def test_reuse_port_lets_another_server_in(start):
    """Both listen on the port, each with its workers on one socket of its own, and both are asked."""
    first = start("--reuse-port", "-w", "2", "-b", "127.0.0.1:0", probe(), listen=False)
    ((_, port),) = first.addresses()
    second = start("--reuse-port", "-w", "2", "-b", f"127.0.0.1:{port}", probe(), listen=False)
    asked = {int(get(("127.0.0.1", port), "/pid").text) for _ in range(100)}
    assert asked & set(first.workers()) and asked & set(second.workers())
    assert asked <= {*first.workers(), *second.workers()}
    third = start("-b", f"127.0.0.1:{port}", HELLO, listen=False, ready=False)
    third.allow("in use|Retrying")
    third.wait_log(r"\[ERROR\] .*in use")
    third.stop()


@pytest.mark.parametrize(("umask", "mode"), [(None, 0o777), ("0117", 0o660), ("0o177", 0o600)])
def test_unix_socket_and_its_mode(start, tmp_path, umask, mode):
    path = tmp_path / "app.sock"
    args = ["-m", umask] if umask else []
    server = start(*args, "-b", f"unix:{path}", HELLO, listen=False)
    assert server.addresses() == [str(path)]
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert get(str(path)).status == 200
    assert server.stop() == 0
    assert not path.exists()


def test_stale_unix_socket_is_replaced(start, tmp_path):
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    server = start("-b", f"unix:{path}", HELLO, listen=False)
    assert get(str(path)).status == 200
    assert server.child.running


def test_live_unix_socket_is_not_taken(start, tmp_path):
    path = tmp_path / "app.sock"
    first = start("-b", f"unix:{path}", HELLO, listen=False)
    second = start("-b", f"unix:{path}", HELLO, listen=False, ready=False)
    second.allow("app.sock|Retrying")
    second.wait_log(r"\[ERROR\] .*app\.sock")
    second.stop()
    assert get(str(path)).status == 200
    assert first.child.running


def test_other_files_are_not_replaced(start, tmp_path):
    path = tmp_path / "app.sock"
    path.write_text("precious")
    server = start("-b", f"unix:{path}", HELLO, listen=False, ready=False)
    server.allow("app.sock|Retrying")
    server.wait_log(r"\[ERROR\] .*app\.sock")
    server.stop()
    assert path.read_text() == "precious"


def test_socket_file_of_another_is_left_alone(start, tmp_path):
    path = tmp_path / "app.sock"
    server = start("-b", f"unix:{path}", HELLO, listen=False)
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        assert server.stop() == 0
        assert path.exists()


def test_sockets_from_systemd_win_over_bind(start):
    sockets = [listening_socket(), listening_socket()]
    addresses = [each.getsockname() for each in sockets]
    server = start("-b", "127.0.0.1:1", HELLO, sockets=sockets)
    assert server.addresses() == addresses
    for address in addresses:
        assert get(address).status == 200


def test_sockets_for_another_process_are_not_taken(start):
    server = start(
        "-b", "127.0.0.1:0", HELLO, listen=False, env={"LISTEN_FDS": "1", "LISTEN_PID": "1"}
    )
    assert get(server.addresses()[0]).status == 200


def test_inherited_descriptor(start):
    sock = listening_socket()
    address = sock.getsockname()
    server = start("-b", "fd://3", HELLO, sockets=[sock], listen_pid="1")
    assert server.addresses() == [address]
    assert get(address).status == 200


def hold_connections(address, count: int) -> list[Client]:
    """Opens connections that have had one request served each; spreads them over loopback addresses."""
    clients = []
    for index in range(count):
        client = Client(address, source=f"127.0.0.{2 + index % 8}")
        client.request("/")
        clients.append(client)
    for client in clients:
        assert client.response().status == 200
    return clients


def keep_busy(clients):
    """Their next requests have begun to arrive: none of them is idle any more."""
    for client in clients:
        client.send("GET / HTTP/1.1\r\nHost: test.example\r\n")


def test_worker_connections_limit_makes_the_next_one_wait(start):
    server = start(
        "-k", "async", "--worker-connections", "2000", "--keep-alive", "600", "--header-timeout", "60", HELLO
    )
    clients = hold_connections(server.address, 2000)
    keep_busy(clients)
    with Client(server.address) as late:
        late.request("/")
        server.wait_log("worker_connections: 2000 are open")
        assert late.silent(0.3), "the 2001st waits"
        clients[7].close()
        assert late.response().status == 200
        clients[0].send("\r\n")
        assert clients[0].response().status == 200, "the others are served meanwhile"
    for client in clients:
        client.close()


def test_each_worker_has_its_own_limit(start):
    server = start("-w", "2", "--worker-connections", "5", "--keep-alive", "600", "--header-timeout", "60", HELLO)
    clients = hold_connections(server.address, 10)
    keep_busy(clients)
    with Client(server.address) as late:
        late.request("/")
        wait_until(
            lambda: len(re.findall("worker_connections: 5 are open", server.log())) == 2,
            "both workers are full",
        )
        assert late.silent(0.1)
        clients[0].close()
        assert late.response().status == 200
    for client in clients:
        client.close()


def test_running_out_of_descriptors_is_survived(start):
    server = start("--keep-alive", "600", HELLO, limits={"nofile": "64:64"})
    clients = [Client(server.address) for _ in range(80)]
    server.wait_log("accept: Too many open files")
    for client in clients[:20]:
        assert client.get("/").status == 200
    for client in clients[:60]:
        client.close()
    for client in clients[60:]:
        assert client.get("/").status == 200
        client.close()
    assert server.get("/").status == 200


def test_a_busy_worker_serves_its_backlog_afterwards(start, gate):
    server = start(probe())
    with server.client() as blocker:
        blocker.request(f"/block?gate={gate.path}")
        gate.wait_entered()
        waiting = [server.client() for _ in range(100)]
        for client in waiting:
            client.request("/pid")
        began = time.monotonic()
        gate.release()
        assert blocker.response().status == 200
        for client in waiting:
            assert client.response().status == 200
            client.close()
        assert time.monotonic() - began < 5
