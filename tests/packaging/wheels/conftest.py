# SPDX-License-Identifier: MIT
"""Keeps what was served where, and writes the table of it to dist/tested.md."""

import shutil

import pytest

from places import DIST
from serving import Secure

ROWS: dict[str, dict[str, str]] = {}


@pytest.fixture(scope="session")
def record():
    def note(place, what: str, said: str) -> None:
        ROWS.setdefault(f"{place.name} ({place.python_version})", {})[what] = said

    return note


@pytest.fixture(scope="session")
def secure(tmp_path_factory):
    return Secure.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    """A fresh folder in a place."""

    def make(place) -> str:
        if place.root is None:
            return str(tmp_path_factory.mktemp("wheel"))
        folder = "/srv/wheel" + place.python.replace("/", "-")
        shutil.rmtree(place.outside(folder), ignore_errors=True)
        return folder

    return make


def pytest_sessionfinish():
    if not ROWS:
        return
    columns = list(dict.fromkeys(what for row in ROWS.values() for what in row))
    lines = ["| Python | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in ROWS.items():
        lines.append(f"| {name} | " + " | ".join(row.get(what, "") for what in columns) + " |")
    (DIST / "tested.md").write_text("\n".join(lines) + "\n")
