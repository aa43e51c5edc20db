# SPDX-License-Identifier: MIT
"""The source distribution, which pip builds where a compiler and the libraries are: on this machine."""

import pytest

from places import DIST, Place
from serving import secure_arguments, serving, write_app

# With all of a small machine's cores, and others at work beside it.
PATIENCE = 3 * 3600


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """An environment with the server in it."""
    made = max(DIST.glob("unicoro-*.tar.gz"), key=lambda path: path.stat().st_mtime, default=None)
    if made is None:
        pytest.skip("no source distribution in dist/")
    folder = str(tmp_path_factory.mktemp("source"))
    where = Place("built from source", "/usr/bin/python3")
    where.python_version = where.version()
    where.env, where.folder = f"{folder}/v", folder
    write_app(where, folder)
    where.run([where.python, "-m", "venv", where.env])
    where.run([f"{where.env}/bin/pip", "install", "--quiet", str(made), "flask"], patience=PATIENCE)
    return where


def test_serves(place, record):
    expected = f"{place.python_version} {place.env}"
    with serving(place, [f"{place.env}/bin/unicoro"], ["app:app"], place.folder) as served:
        assert served.text == expected
    record(place, "sync", "served")


def test_serves_over_tls_and_compresses(place, record, secure):
    arguments = [*secure_arguments(place, place.folder, secure), "app:app"]
    with serving(place, [f"{place.env}/bin/unicoro"], arguments, place.folder, ask=secure.ask) as served:
        secure.check_compression(served.port)
    record(place, "HTTP/2 and compression, sync", "served")
