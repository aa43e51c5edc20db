# SPDX-License-Identifier: MIT
"""The server within a program of Python: `python -m unicoro`, and programs that embed it."""

from .paths import BUILD
from .sanitizers import preloaded

MODULES = BUILD / "src" / "python"


def environment(**more: str) -> dict[str, str]:
    """With it a Python finds the modules of the build tree."""
    return {"PYTHONPATH": str(MODULES), "PYTHONDONTWRITEBYTECODE": "1", **more, **preloaded()}
