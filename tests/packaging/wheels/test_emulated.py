# SPDX-License-Identifier: MIT
"""The wheel for aarch64, under user-mode emulation: the Python of Debian 12 for that processor serves requests."""

import shutil
import zipfile

import pytest

from places import OLDER, ROOTS, Place, download, wheel_for
from serving import secure_arguments, serving, write_app

ROOT = ROOTS / "arm64"
VERSION = "3.11"
FOLDER = "/srv/wheel"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    wheel = wheel_for(VERSION, cpu="aarch64")
    if wheel is None or not ROOT.exists():
        pytest.skip("no wheel for aarch64 in dist/" if wheel is None else "no root (tests/packaging/wheels/roots.py arm64)")
    emulator = ("/usr/bin/qemu-aarch64-static",)
    where = Place("aarch64, emulated: Debian 12", f"/usr/bin/python{VERSION}", ROOT, emulator, cpu="aarch64")
    where.python_version = VERSION
    shutil.rmtree(where.outside(FOLDER), ignore_errors=True)
    write_app(where, FOLDER)
    # The emulated pip could run no program of its own without the kernel's help (binfmt_misc).
    house = tmp_path_factory.mktemp("wheels")
    download(VERSION, [f"{name}_aarch64" for name in OLDER["gnu"]], house)
    (where.outside(FOLDER) / "site").mkdir()
    for path in (wheel, *house.glob("*.whl")):
        with zipfile.ZipFile(path) as opened:
            opened.extractall(where.outside(FOLDER) / "site")
    return where


@pytest.fixture
def program(place, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{FOLDER}/site")
    return [place.python, "-m", "unicoro", "--boot-timeout", "240", "--timeout", "240"]


@pytest.mark.parametrize("kind", [["-k", "async", "app:app"], ["-k", "sync", "app:app"], ["-k", "async", "app:asgi"]])
def test_serves(place, program, kind, record):
    with serving(place, program, kind, FOLDER, patience=300) as served:
        assert served.text == f"{VERSION} /usr"
    record(place, "ASGI" if "asgi" in kind[-1] else kind[1], "served")


def test_serves_over_tls_and_compresses(place, program, record, secure):
    arguments = [*secure_arguments(place, FOLDER, secure), "-k", "async", "app:app"]
    with serving(place, program, arguments, FOLDER, patience=300, ask=secure.ask) as served:
        assert served.text == ("2", "", f"{VERSION} /usr")
        secure.check_compression(served.port)
    record(place, "HTTP/2 and compression, async", "served")
