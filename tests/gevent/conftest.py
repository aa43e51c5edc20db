# SPDX-License-Identifier: MIT
"""The module under test comes from the build; each test gets a loop of its own and a time limit."""

import faulthandler
import os
import sys

import pytest

sys.path.insert(0, os.environ.get("UNICORO_GEVENT_MODULE", "build/tests/gevent"))
os.environ["GEVENT_LOOP"] = "_unicoro_gevent.loop"

gevent = pytest.importorskip("gevent")


@pytest.fixture(autouse=True)
def limit():
    """A loop that hangs ends the run, with its stack."""
    faulthandler.dump_traceback_later(60, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def loop():
    made = gevent.config.loop(default=False)
    yield made
    made.destroy()
