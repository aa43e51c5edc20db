# SPDX-License-Identifier: MIT
"""systemd's descriptor store (FileDescriptorStoreMax=): sockets that outlive the process."""

import signal

import pytest

from harness.load import Load
from harness.manager import Manager
from harness.paths import probe
from harness.upgrades import upgrade
from harness.waiting import wait_until


@pytest.fixture
def manager(tmp_path):
    made = Manager(tmp_path / "manager")
    yield made
    made.close()


@pytest.fixture
def serve(start, manager):
    def begin(*args, address=None):
        server = start("-w", "2", *args, probe(), listen=False, sockets=manager.passed(), ready=False,
                       env=manager.environment())
        server.address_passed = address
        server.notices.close()
        server.notices = manager
        manager.wait_for("READY=1", server.child)
        assert manager.main == server.pid
        return server

    return begin


def test_restarts_lose_nothing(serve, manager):
    server = serve("-b", "127.0.0.1:0")
    address = server.address
    assert manager.names() == ["unicoro@127.0.0.1%3a0"]
    with Load(address, clients=4) as load:
        for _ in range(5):
            assert server.stop() == 0
            server = serve("-b", "127.0.0.1:0")
            assert server.address == address
            answered = load.answered
            wait_until(lambda: load.answered > answered + 10, "it serves")
    assert not load.lost
    assert len(manager.names()) == 1


def test_upgrades_and_restarts(serve, manager):
    server = serve("-b", "127.0.0.1:0")
    with Load(server.address, clients=4) as load:
        for _ in range(5):
            upgrade(server)
            manager.wait_for("READY=1", server.child)
            assert manager.main == server.pid
        assert server.stop() == 0
        server = serve("-b", "127.0.0.1:0")
        upgrade(server)
    assert not load.lost and load.answered
    assert len(manager.names()) == 1


def test_a_unix_socket_keeps_its_file(serve, manager, tmp_path):
    path = tmp_path / "app.sock"
    server = serve("-b", f"unix:{path}")
    inode = path.stat().st_ino
    with Load(server.address, clients=2) as load:
        assert server.stop() == 0
        server = serve("-b", f"unix:{path}")
        answered = load.answered
        wait_until(lambda: load.answered > answered + 10, "it serves")
    assert not load.lost
    assert path.stat().st_ino == inode
    assert server.stop() == 0
    path.unlink()
    server = serve("-b", f"unix:{path}")
    assert server.get("/pid").status == 200
    server.wait_log("it is opened anew")
    assert len(manager.names()) == 1


def test_what_is_no_longer_bound_leaves_the_store(serve, manager, tmp_path):
    config = tmp_path / "settings.json"
    config.write_text('{"bind": ["127.0.0.1:0", "[::1]:0"]}')
    server = serve("-c", config)
    assert manager.names() == ["unicoro@%3a%3a1%3a0", "unicoro@127.0.0.1%3a0"]
    config.write_text('{"bind": ["127.0.0.1:0"]}')
    server.send(signal.SIGHUP)
    manager.wait_for("RELOADING=1", server.child)
    manager.wait_for("READY=1", server.child)
    assert manager.names() == ["unicoro@127.0.0.1%3a0"]
    config.write_text(f'{{"bind": ["unix:{tmp_path}/app.sock"]}}')
    upgrade(server)
    assert manager.names() == [name for name, _ in manager.stored] and "unix%3a" in manager.stored[0][0]
    assert server.stop() == 0
    config.write_text('{"bind": ["127.0.0.1:0"]}')
    serve("-c", config)
    assert manager.names() == ["unicoro@127.0.0.1%3a0"]


def test_sockets_that_cannot_be_used_any_more_are_opened_anew(serve, manager):
    server = serve("-b", "127.0.0.1:0")
    assert server.stop() == 0
    server = serve("-b", "127.0.0.1:0", "--reuse-port")
    server.wait_log("the sockets that were stored are given up")
    assert server.get("/pid").status == 200
    assert manager.names() == ["unicoro@127.0.0.1%3a0"]


def test_without_a_store_nothing_is_said_of_it(start):
    server = start("-b", "127.0.0.1:0", probe(), listen=False)
    assert not [text for text in server.notices.seen if "FDSTORE" in text]
