# SPDX-License-Identifier: MIT
"""Root as master: log files and pidfiles in folders where the workers' user can put what it likes."""

import json
import os
import signal
from pathlib import Path

import pytest

from harness import processes
from harness.paths import HELLO
from harness.theirs import NO_FILE, USER, Place, only_as_root
from harness.waiting import wait_until

pytestmark = only_as_root


@pytest.fixture
def place():
    made = Place()
    yield made
    made.check()
    made.close()


def reopen(server) -> None:
    """USR1, and what comes of it in master and workers."""
    before = server.log().count("Handling signal: usr1")
    server.send(signal.SIGUSR1)
    wait_until(lambda: server.log().count("Handling signal: usr1") > before, "USR1 is handled")
    # The master does one thing after the other: when it reaps and replaces, it has reopened.
    assert server.get("/").status == 200


@pytest.mark.parametrize("option", ["--error-logfile", "--access-logfile", "--pid"])
@pytest.mark.parametrize("kind", NO_FILE)
def test_at_the_start(command, place, option, kind):
    path = place.theirs / "file"
    place.put(kind, path)
    done = command("-u", USER, option, path, "-b", "127.0.0.1:0", HELLO)
    assert done.returncode == 1
    assert str(path) in done.stderr
    place.check()


@pytest.mark.parametrize("option", ["--error-logfile", "--access-logfile", "--pid"])
def test_a_link_on_the_way(command, place, option):
    way = place.theirs / "way"
    way.symlink_to(place.roots)
    done = command("-u", USER, option, way / "file", "-b", "127.0.0.1:0", HELLO)
    assert done.returncode == 1
    assert "'way' on the way is a symbolic link" in done.stderr


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775])
def test_a_folder_that_others_can_write(command, place, mode):
    """Also when root made the link, and for workers that stay root."""
    os.chown(place.theirs, 0, place.user.pw_gid)
    place.theirs.chmod(mode)
    path = place.theirs / "file"
    place.put("link to a secret", path)
    done = command("--error-logfile", path, "-b", "127.0.0.1:0", HELLO)
    assert done.returncode == 1
    assert "symbolic link" in done.stderr


@pytest.mark.parametrize("kind", NO_FILE)
def test_at_usr1(start, place, kind):
    path = place.theirs / "access.log"
    server = start("-u", USER, "--access-logfile", path, HELLO)
    server.allow("accesslog: cannot open")
    moved = place.theirs / "moved.log"
    os.rename(path, moved)
    place.put(kind, path)
    reopen(server)
    server.wait_log("accesslog: cannot open .*; the file opened before stays in use")
    place.check()
    before = moved.read_text().count("\n")
    assert server.get("/").status == 200
    wait_until(lambda: moved.read_text().count("\n") > before, "the file opened before gets the line")
    assert len(server.workers()) == 1


@pytest.mark.parametrize("kind", NO_FILE)
def test_at_hup(start, place, kind):
    path = place.theirs / "access.log"
    place.put(kind, path)
    settings = {"app": HELLO, "user": USER}
    server = start(config=settings)
    server.allow("cannot open|could not|logs stay")
    (server.folder / "unicoro.json").write_text(json.dumps(settings | {"accesslog": str(path)}))
    server.send(signal.SIGHUP)
    server.wait_log("the logs stay as they are: accesslog: cannot open")
    server.wait_log("Reload complete")
    place.check()
    assert server.get("/").status == 200


def test_while_they_are_exchanged(start, place):
    """At USR1, again and again."""
    path = place.theirs / "access.log"
    server = start("-u", USER, "--access-logfile", path, "-w", "2", HELLO)
    server.allow("accesslog: ")
    kinds = ["regular file", *NO_FILE]
    with place.swapping(path, kinds):
        for _ in range(150):
            reopen(server)
            place.check()
    assert len(server.workers()) == 2


def test_a_second_name_that_comes_and_goes(start, place):
    """What the kernel counts of a file's names is no longer true when it is told."""
    path = place.theirs / "access.log"
    server = start("-u", USER, "--access-logfile", path, "-w", "2", HELLO)
    server.allow("accesslog: ")
    with place.swapping(path, ["another name of a secret", "regular file"]):
        for _ in range(4000):
            reopen(server)
            place.check()


def test_what_was_there_keeps_its_owner(start, place):
    """Workers write to it all the same, also after a rotation that makes it anew as root's."""
    path = place.theirs / "access.log"
    path.write_text("old\n")
    path.chmod(0o640)
    server = start("-u", USER, "--access-logfile", path, "-w", "2", HELLO)
    for turn in range(3):
        assert (path.owner(), path.stat().st_mode & 0o777) == ("root", 0o640)
        wait_until(
            lambda: server.get("/").status == 200 and path.read_text().count("GET") > 3, "lines of the workers"
        )
        os.rename(path, place.theirs / f"access.log.{turn}")
        path.touch(mode=0o640)
        reopen(server)
    assert len(server.workers()) == 2


def test_what_is_new_belongs_to_the_workers(start, place):
    """So that they can open it again themselves."""
    path = place.theirs / "access.log"
    server = start("-u", USER, "--access-logfile", path, HELLO)
    assert path.owner() == USER
    os.rename(path, place.theirs / "access.log.1")
    reopen(server)
    wait_until(path.exists, "the new file")
    assert path.owner() == USER
    wait_until(lambda: server.get("/").status == 200 and path.read_text() != "", "lines in the new file")


def test_a_folder_of_roots_own(start, place):
    """Where the workers' rights do not reach; links that root made count."""
    real = place.folder / "real"
    real.mkdir(mode=0o700)
    (place.folder / "log").symlink_to("real")
    path = place.folder / "log" / "access.log"
    server = start("-u", USER, "--access-logfile", path, HELLO)
    for turn in range(2):
        wait_until(lambda: server.get("/").status == 200 and path.read_text() != "", "lines of the worker")
        assert (real / "access.log").owner() == USER
        os.rename(path, real / f"access.log.{turn}")
        reopen(server)


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/stderr", "/dev/null", "/proc/self/fd/1"])
def test_streams_and_devices(start, path):
    server = start("-u", USER, "--access-logfile", path, HELLO)
    assert server.get("/").status == 200
    reopen(server)
    if path in ("/dev/stdout", "/proc/self/fd/1"):
        wait_until(lambda: '"GET / HTTP/1.1" 200' in server.output(), "the line on stdout")


def test_a_pidfile_in_their_folder(start, place):
    path = place.theirs / "pid"
    server = start("-u", USER, "--pid", path, HELLO)
    assert path.read_text() == f"{server.pid}\n"
    os.unlink(path)
    place.put("link to a secret", path)
    assert server.stop() == 0
    assert path.is_symlink(), "what somebody else put there is not ours to remove"


def test_workers_hold_nothing_of_roots(start, place):
    """No folder, no socket file, no pidfile: descriptors of them would open a way past their rights."""
    server = start(
        "-u", USER, "--pid", place.theirs / "pid", "--access-logfile", place.theirs / "log",
        "-b", f"unix:{place.theirs}/app.sock", HELLO, listen=False,
    )
    (worker,) = server.workers()
    folder = Path(f"/proc/{worker}/fd")
    held = [os.readlink(each) for each in folder.iterdir()]
    assert not [each for each in held if Path(each).is_dir() or each.endswith(("app.sock", "pid"))], held
    assert processes.alive(worker)
