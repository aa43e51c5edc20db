# SPDX-License-Identifier: MIT
"""The server within a program of Python: `python -m unicoro`, and programs that embed it."""

import subprocess

from .paths import BUILD
from .sanitizers import SANITIZED

MODULES = BUILD / "src" / "python"


def environment(**more: str) -> dict[str, str]:
    """With it a Python finds the modules of the build tree."""
    variables = {"PYTHONPATH": str(MODULES), "PYTHONDONTWRITEBYTECODE": "1", **more}
    if SANITIZED:
        # The sanitizer's runtime must be the first library of a program.
        found = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
        variables["LD_PRELOAD"] = found.stdout.strip()
    return variables
