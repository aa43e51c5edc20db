# SPDX-License-Identifier: MIT
"""The Debian packages in a fresh Debian 12: installed, served with, upgraded, removed. Run by
`./dev deb --check`, as root; the tests of this file follow on one another."""

import json
import socket
import sys
from pathlib import Path

import pytest

from container import Container, make_root

ROOT = Path(__file__).resolve().parents[2]
INTEGRATION = ROOT / "tests" / "integration"
sys.path.insert(0, str(INTEGRATION))

from harness.mixed_load import MixedLoad  # noqa: E402

DIST = ROOT / "dist"
FOLDER = ROOT / "build-deb"
PACKAGES = ("unicoro", "libunicoro0", "libunicoro-dev", "python3-unicoro")
# What systemd gives a service that has DynamicUser=.
DYNAMIC_USERS = range(61184, 65520)
SETTINGS = "/etc/unicoro/unicoro.json"

FLASK_APP = """
import sys
from flask import Flask
app = Flask(__name__)

@app.get("/")
def index():
    return {"executable": sys.executable}
"""

# For an environment with nothing in it: not the server's package either.
BARE_APP = """
import sys

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [sys.prefix.encode()]
"""

ASK = """
import sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=20) as answer:
    sys.stdout.write(answer.read().decode())
"""


@pytest.fixture(scope="module")
def debian():
    make_root(FOLDER / "root")
    container = Container(FOLDER / "root", DIST, FOLDER / "downloads")
    yield container
    container.close()


@pytest.fixture(scope="module")
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def installed(debian) -> dict[str, str]:
    """Our packages that dpkg knows, and the state of each."""
    listed = debian.out("dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\\n")
    found = (line.split() for line in listed.splitlines())
    return {name: state for name, state in found if "unicoro" in name}


def state_of(debian, unit: str = "unicoro.service") -> str:
    return debian.run("systemctl", "is-active", unit, check=False).stdout.strip()


def configure(debian, port: int, **settings) -> None:
    usual = {"bind": f"127.0.0.1:{port}", "workers": 2, "worker_class": "async", "accesslog": "-"}
    debian.write(SETTINGS, json.dumps(usual | settings))


def get(debian, port: int, path: str = "/") -> str:
    return debian.out("python3", "-c", ASK, f"http://127.0.0.1:{port}{path}")


def journal(debian) -> str:
    return debian.out("journalctl", "--no-pager", "-u", "unicoro")


def restart(debian) -> None:
    started = debian.run("systemctl", "restart", "unicoro", check=False)
    assert started.returncode == 0, journal(debian)


def test_install(debian):
    (changes,) = DIST.glob("unicoro_*.changes")
    debian.run("apt-get", "update", "-qq")
    ours = [f"/packages/{deb.name}" for deb in DIST.glob("*.deb") if deb.name.split("_")[0] in PACKAGES]
    assert len(ours) == len(PACKAGES), changes
    debian.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *ours)
    assert installed(debian) == dict.fromkeys(PACKAGES, "ii")
    # The compiler is for the application of libunicoro-dev alone, and came with no package of ours.
    debian.run("apt-get", "install", "-y", "-qq", "--no-install-recommends",
               "python3-flask", "python3-gevent", "g++", "pkg-config", "meson")


def test_the_service_is_enabled_and_waits_for_its_settings(debian):
    assert debian.out("systemctl", "is-enabled", "unicoro.service") == "enabled"
    assert debian.run("systemctl", "is-enabled", "unicoro.socket", check=False).stdout.strip() == "disabled"
    assert state_of(debian) == "inactive"
    assert debian.out("systemctl", "--failed", "--no-legend") == ""
    units = debian.out("systemctl", "show", "--value", "-p", "FragmentPath", "unicoro.service", "unicoro.socket")
    verified = debian.run("systemd-analyze", "verify", "--man=no", *units.split())
    assert "unicoro" not in verified.stderr


def test_files_that_others_read(debian):
    for path in ("/usr/share/man/man1/unicoro.1.gz", "/usr/share/bash-completion/completions/unicoro",
                 "/usr/share/zsh/vendor-completions/_unicoro",
                 "/usr/share/fish/vendor_completions.d/unicoro.fish",
                 "/usr/share/doc/unicoro/examples/nginx.conf", "/usr/share/doc/unicoro/examples/haproxy.cfg",
                 "/etc/unicoro/unicoro.sample.json"):
        debian.run("test", "-s", path)
    conffiles = debian.out("dpkg-query", "-W", "-f", "${Conffiles}", "unicoro")
    assert "/etc/unicoro/unicoro.sample.json" in conffiles
    assert SETTINGS + " " not in conffiles


def test_versions_agree(debian):
    command = debian.out("unicoro", "--version")
    assert command == debian.out("python3", "-m", "unicoro", "--version")
    assert debian.out("pkg-config", "--modversion", "unicoro") in command


def test_flask_as_a_service(debian, port):
    debian.write("/srv/app/app.py", FLASK_APP)
    configure(debian, port, app="app:app", chdir="/srv/app")
    restart(debian)
    answer = json.loads(get(debian, port))
    assert answer["executable"] == "/usr/bin/python3"
    user = int(debian.shell("stat -c %u /proc/$(systemctl show -P MainPID unicoro)"))
    assert user in DYNAMIC_USERS


def test_reload_keeps_the_master(debian, port):
    master = debian.out("systemctl", "show", "-P", "MainPID", "unicoro")
    debian.run("systemctl", "reload", "unicoro")
    json.loads(get(debian, port))
    debian.wait_until(lambda: state_of(debian) == "active", "the reload")
    assert debian.out("systemctl", "show", "-P", "MainPID", "unicoro") == master


@pytest.fixture
def loaded(debian, port):
    """A service under clients of every kind, which are outside and share the network."""
    debian.write("/srv/app/load_probe.py", (INTEGRATION / "python_apps" / "load_probe.py").read_text())
    # Without access lines, of which journald would drop some, and others with them.
    configure(debian, port, app="load_probe:asgi", chdir="/srv/app", interface="asgi", graceful_timeout=10,
              accesslog=None)
    restart(debian)
    with MixedLoad(("127.0.0.1", port), clients=2) as load:
        load.wait_more(5, "the load begins")
        yield load


def upgrade(debian) -> None:
    """To the same program; systemd's main process stays."""
    master = debian.out("systemctl", "show", "-P", "MainPID", "unicoro")
    before = journal(debian).count("Upgrade complete")
    debian.run("systemctl", "kill", "--kill-who=main", "-s", "USR2", "unicoro")
    debian.wait_until(lambda: journal(debian).count("Upgrade complete") > before, "the upgrade", 120)
    assert debian.out("systemctl", "show", "-P", "MainPID", "unicoro") == master
    assert state_of(debian) == "active"


def test_upgrades_lose_nothing(debian, loaded):
    for _ in range(5):
        upgrade(debian)
        loaded.wait_more(5)
    loaded.check()


def test_restarts_lose_nothing(debian, loaded):
    """systemd keeps the sockets while there is no server."""
    for _ in range(3):
        restart(debian)
        loaded.wait_more(5)
    loaded.check()


def test_a_virtual_environment_of_the_same_python(debian, port):
    debian.run("python3", "-m", "venv", "--without-pip", "/srv/app/.venv")
    debian.write("/srv/app/bare.py", BARE_APP)
    configure(debian, port, app="bare:app", chdir="/srv/app", python="/srv/app/.venv", worker_class="sync")
    restart(debian)
    assert get(debian, port) == "/srv/app/.venv"


def test_a_native_application(debian, port):
    debian.shell("cd /srv && g++ -std=c++20 -shared -fPIC -o libhello.so "
                 "/usr/share/doc/libunicoro-dev/examples/hello.cpp $(pkg-config --cflags --libs unicoro)")
    configure(debian, port, app="/srv/libhello.so:app")
    restart(debian)
    assert "Hello" in get(debian, port)


def test_a_native_project(debian):
    debian.shell("cp -r /usr/share/doc/libunicoro-dev/examples/outside /srv && cd /srv/outside && "
                 "meson setup build && ninja -C build")
    debian.run("unicoro", "--check-config", "/srv/outside/build/libgreeting.so:app")


def test_the_socket_starts_the_service(debian, port):
    debian.write("/run/systemd/system/unicoro.socket.d/port.conf",
                 f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{port}\n")
    debian.run("systemctl", "daemon-reload")
    debian.run("systemctl", "stop", "unicoro")
    debian.run("systemctl", "enable", "--now", "unicoro.socket")
    assert state_of(debian) == "inactive"
    assert "Hello" in get(debian, port)
    assert state_of(debian) == "active"


def test_an_upgrade_keeps_the_sockets_of_systemd(debian, port):
    upgrade(debian)
    assert "Hello" in get(debian, port)


def test_a_newer_package_restarts(debian, port):
    before = debian.out("systemctl", "show", "-P", "MainPID", "unicoro")
    debian.shell("apt-get install -y -qq --reinstall --no-install-recommends "
                 "/packages/unicoro_*.deb /packages/libunicoro0_*.deb")
    assert state_of(debian) == "active"
    assert debian.out("systemctl", "show", "-P", "MainPID", "unicoro") != before
    assert "Hello" in get(debian, port)


def test_remove_and_purge(debian):
    files = debian.out("dpkg-query", "-L", *PACKAGES).splitlines()
    debian.run("apt-get", "remove", "-y", "-qq", *PACKAGES)
    assert [state_of(debian), state_of(debian, "unicoro.socket")] == ["inactive", "inactive"]
    assert "unicoro" not in debian.shell("cat /proc/[0-9]*/cmdline")
    assert set(installed(debian).values()) == {"rc"}
    debian.run("test", "-e", SETTINGS)
    debian.run("dpkg", "--purge", *PACKAGES)
    assert installed(debian) == {}
    left = debian.run("find", "/", "-xdev", "-iname", "*unicoro*", "-not", "-path", "/srv/*").stdout.split()
    assert left == []
    others = set(debian.run("find", "/etc", "/usr", "/var", "-not", "-type", "d").stdout.splitlines())
    assert [path for path in files if path in others] == []
    assert debian.out("systemctl", "--failed", "--no-legend") == ""
    assert debian.run("getent", "passwd", "unicoro", check=False).stdout == ""
