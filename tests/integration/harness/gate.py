# SPDX-License-Identifier: MIT
"""The test's side of a gate in native_apps/gate.hpp."""

import os
import select
from pathlib import Path

from .waiting import LONG


class Gate:
    """Tells when the application has reached it, and lets it go on."""

    def __init__(self, folder: Path, name: str = "gate"):
        self.path = str(folder / name)
        for end in (".in", ".out"):
            os.mkfifo(self.path + end, 0o666)
        flags = os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC
        self._in = os.open(self.path + ".in", flags)
        self._out = os.open(self.path + ".out", flags)

    def wait_entered(self, timeout: float = LONG) -> None:
        poller = select.poll()
        poller.register(self._in, select.POLLIN)
        if not poller.poll(timeout * 1000):
            raise AssertionError(f"the application did not reach the gate within {timeout} s")
        os.read(self._in, 1)

    def release(self) -> None:
        os.write(self._out, b"!")

    def close(self) -> None:
        os.close(self._in)
        os.close(self._out)
