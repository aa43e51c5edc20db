# SPDX-License-Identifier: MIT
"""Where the package lies in the tree."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "src" / "python" / "package"
