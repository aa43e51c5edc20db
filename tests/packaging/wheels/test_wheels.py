# SPDX-License-Identifier: MIT
"""Each wheel in a fresh environment of each Python: installed by pip, and a request served in every way."""

import time

import pytest

from places import OLDER, WHEELHOUSE, Place, download, machine_pythons, other_roots, wheel_for
from serving import secure_arguments, serving, write_app

KINDS = {
    "async": ["-k", "async", "app:app"],
    "sync": ["-k", "sync", "app:app"],
    "threads": ["--threads", "2", "app:app"],
    "ASGI": ["-k", "async", "app:asgi"],
}


@pytest.fixture(scope="module", params=machine_pythons() + other_roots(), ids=lambda place: place.name)
def place(request):
    """An environment with the wheel in it, and how long it took to install."""
    where: Place = request.param
    where.python_version = where.version()
    wheel = wheel_for(where.python_version, where.libc, where.cpu)
    if wheel is None:
        pytest.skip(f"no wheel in dist/ for Python {where.python_version} on {where.libc}")
    folder = request.getfixturevalue("folder_of")(where)
    where.env = f"{folder}/v"
    write_app(where, folder)
    where.folder = folder
    path = where.give(wheel, folder)
    where.started = time.monotonic()
    where.run([where.python, "-m", "venv", where.env])
    options = []
    if not where.fetches:
        download(where.python_version, [f"{name}_{where.cpu}" for name in OLDER[where.libc]], where.outside(folder))
        options = ["--no-index", f"--find-links={folder}"]
    where.run([f"{where.env}/bin/pip", "install", "--quiet", *options, path, *WHEELHOUSE])
    return where


@pytest.mark.parametrize("kind", KINDS)
def test_serves(place, kind, record):
    if kind == "async" and not place.fetches:
        pytest.skip("gevent needs ssl, which this Python has not")
    expected = f"{place.python_version} {place.env}"
    with serving(place, [f"{place.env}/bin/unicoro"], KINDS[kind], place.folder) as served:
        if kind == "async":
            record(place, "seconds from nothing", f"{time.monotonic() - place.started:.1f}")
        assert served.text == expected
    record(place, kind, "served")


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_serves_over_tls_and_compresses(place, kind, record, secure):
    """HTTP/1.1 and HTTP/2."""
    if kind == "async" and not place.fetches:
        pytest.skip("gevent needs ssl, which this Python has not")
    expected = f"{place.python_version} {place.env}"
    arguments = secure_arguments(place, place.folder, secure) + KINDS[kind]
    with serving(place, [f"{place.env}/bin/unicoro"], arguments, place.folder, ask=secure.ask) as served:
        assert served.text == ("2", "", expected)
        assert secure.ask(served.port, "/", "--http1.1") == ("1.1", "", expected)
        secure.check_compression(served.port)
    record(place, f"HTTP/2 and compression, {kind}", "served")


def test_runs_as_a_module(place, record):
    with serving(place, [f"{place.env}/bin/python3", "-m", "unicoro"], ["app:app"], place.folder) as served:
        assert served.text.startswith(place.python_version)
    record(place, "-m unicoro", "served")


def test_executable_finds_the_environment(place, record):
    """The one that the wheel brings becomes the Python of the environment that it lies in, or is told."""
    where = place.run([f"{place.env}/bin/python3", "-c", "import unicoro; print(unicoro.__path__[0])"]).strip()
    arguments = ["--python", place.env, "-k", "sync", "app:app"]
    with serving(place, [f"{where}/bin/unicoro"], arguments, place.folder) as served:
        assert served.text == f"{place.python_version} {place.env}"
    record(place, "executable", "served")


def test_holds_what_an_administrator_needs(place):
    code = "import os, unicoro; print(*sorted(os.listdir(unicoro.__path__[0] + '/share')))"
    names = set(place.run([f"{place.env}/bin/python3", "-c", code]).split())
    assert names >= {"unicoro.service", "unicoro.socket", "unicoro.schema.json", "unicoro.sample.json", "nginx.conf", "haproxy.cfg"}
