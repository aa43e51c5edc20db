# SPDX-License-Identifier: MIT
"""Root as master: unix sockets in folders where the workers' user can put what it likes."""

import json
import os
import signal
import socket
import stat

import pytest

from harness.client import get
from harness.paths import HELLO
from harness.theirs import LINKS, USER, Place, only_as_root
from harness.waiting import wait_until

pytestmark = only_as_root

IN_THE_WAY = [*LINKS, "another name of a secret", "another name of a socket", "pipe", "regular file"]


@pytest.fixture
def place():
    made = Place()
    yield made
    made.check()
    made.close()


def reload(server, **settings) -> None:
    path = server.folder / "unicoro.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    before = server.log().count("Reload complete") + server.log().count("Reload refused")
    server.send(signal.SIGHUP)
    wait_until(
        lambda: server.log().count("Reload complete") + server.log().count("Reload refused") > before,
        "the reload has an end",
    )


@pytest.fixture
def serve(start, place):
    def make(path, **settings):
        config = {"app": HELLO, "user": USER, "bind": f"unix:{path}", "umask": "0o177", **settings}
        return start(config=config, listen=False)

    return make


@pytest.mark.parametrize("kind", IN_THE_WAY)
def test_at_the_start(start, place, kind):
    path = place.theirs / "app.sock"
    place.put(kind, path)
    server = start("-u", USER, "-b", f"unix:{path}", HELLO, listen=False, ready=False)
    server.allow(".")
    server.wait_log(r"\[ERROR\] cannot listen on unix:.*app\.sock: ")
    server.stop()
    place.check()
    assert path.is_symlink() or path.exists()


def test_a_link_on_the_way(start, place):
    (place.theirs / "way").symlink_to(place.roots)
    server = start("-u", USER, "-b", f"unix:{place.theirs}/way/app.sock", HELLO, listen=False, ready=False)
    server.allow(".")
    assert server.wait_exit() == 1
    server.wait_log("'way' on the way is a symbolic link")


def test_a_socket_left_behind_by_the_user_is_replaced(serve, place):
    path = place.theirs / "app.sock"
    place.put("socket", path)
    serve(path)
    assert get(str(path)).status == 200
    assert path.owner() == USER
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_folders_below_theirs(serve, place):
    """Who owns a folder above can exchange those below; the socket is where it was looked for."""
    below = place.theirs / "a" / "b"
    below.mkdir(parents=True)
    server = serve(below / "app.sock")
    assert server.addresses() == [str(below / "app.sock")]
    assert get(str(below / "app.sock")).status == 200
    os.rename(place.theirs / "a", place.theirs / "moved")
    (place.theirs / "a").symlink_to(place.roots)
    reload(server, umask="0o111")
    moved = place.theirs / "moved" / "b" / "app.sock"
    assert stat.S_IMODE(moved.stat().st_mode) == 0o666
    assert server.stop() == 0
    assert not moved.exists()


@pytest.mark.parametrize("kind", IN_THE_WAY)
def test_at_hup(serve, place, kind):
    path = place.theirs / "app.sock"
    server = serve(path)
    os.unlink(path)
    place.put(kind, path)
    reload(server, umask="0")
    place.check()
    assert server.stop() == 0
    assert path.is_symlink() or path.exists(), "what somebody else put there is not ours to remove"


def test_at_hup_the_socket_gets_its_rights(serve, place):
    path = place.theirs / "app.sock"
    server = serve(path)
    reload(server, umask="0o117", group="root")
    found = path.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o660, 0)
    assert get(str(path)).status == 200


def test_while_it_is_exchanged(serve, place):
    """At HUP, again and again, with the server's own socket there in between."""
    path = place.theirs / "app.sock"
    server = serve(path)
    server.allow("cannot apply")
    own = place.theirs / "own.sock"
    os.link(path, own)
    with place.swapping(path, IN_THE_WAY, own):
        for turn in range(25):
            reload(server, umask="0" if turn % 2 else "0o177")
            place.check()
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(str(own))


def test_while_the_server_starts(start, place):
    """What is bound is not what is found under its name a moment later."""
    path = place.theirs / "app.sock"
    for _ in range(10):
        with place.swapping(path, ["another name of a socket", "link to a secret", "socket"]):
            server = start(
                "-u", USER, "-b", f"unix:{path}", HELLO, listen=False, ready=False
            )
            server.allow(".")
            wait_until(
                lambda: "Listening at" in server.log() or "cannot listen" in server.log(), "an attempt to start"
            )
            place.check()
        server.send(signal.SIGTERM)
        server.wait_exit()
