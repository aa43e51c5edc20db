# SPDX-License-Identifier: MIT
"""For programs that embed the server."""

from .base import BaseApplication

__all__ = ["BaseApplication"]
