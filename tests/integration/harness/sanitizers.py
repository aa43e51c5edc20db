# SPDX-License-Identifier: MIT
"""What differs for a binary with AddressSanitizer and UndefinedBehaviorSanitizer; tests/torture/README.md
says why."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .paths import BINARY, ROOT

SANITIZED = b"__asan_init" in BINARY.read_bytes() if BINARY.exists() else False
# How much longer everything may take.
SCALE = 4.0 if SANITIZED else 1.0
# Every report there was: the run fails with them, whatever a second try of a test says.
FOUND: list[str] = []

SUPPRESSIONS = ROOT / "tests" / "support" / "asan.supp"
OPTIONS = {
    "detect_leaks": 0,
    "detect_stack_use_after_return": 0,
    "handle_abort": 0,
    "handle_segv": 1,
    "allocator_may_return_null": 1,
    "quarantine_size_mb": 64,
    "exitcode": 86,
}


def preloaded() -> dict[str, str]:
    """The environment of a Python that is started to import the sanitized module."""
    if not SANITIZED:
        return {}
    files = [
        subprocess.run(["c++", f"-print-file-name={name}"], check=True, capture_output=True, text=True).stdout.strip()
        for name in ("libasan.so", "libstdc++.so.6")
    ]
    return {"LD_PRELOAD": ":".join(files)}


class Reports:
    """The files that AddressSanitizer writes its reports to, whichever process it is in and however that
    one ends. Every process started from here on inherits where they go."""

    def __init__(self):
        # Not below pytest's folder, which nobody else may enter: workers of another user write here, too.
        self.folder = Path(tempfile.mkdtemp(prefix="unicoro-sanitizers-"))
        self.folder.chmod(0o1777)
        self._seen: set[Path] = set()
        options = {**OPTIONS, "log_path": self.folder / "asan", "suppressions": SUPPRESSIONS}
        os.environ["ASAN_OPTIONS"] = ":".join(f"{key}={value}" for key, value in options.items())
        # Every object of Python is one of malloc: its use after the end is seen.
        os.environ["PYTHONMALLOC"] = "malloc"

    def new(self) -> str:
        """What was reported since the last call."""
        found = sorted(path for path in self.folder.iterdir() if path not in self._seen)
        self._seen.update(found)
        texts = [path.read_text(errors="replace") for path in found]
        FOUND.extend(texts)
        return "\n".join(texts)

    def close(self) -> None:
        shutil.rmtree(self.folder)
