# SPDX-License-Identifier: MIT
"""Unicoro, an application server: `python -m unicoro [OPTION...] APP`.

What is here is for applications and for programs that embed the server (unicoro.app). The server itself is the
extension module `_unicoro`.
"""

from _unicoro import RequestCancelled, __version__, draining, stopping

__all__ = ["RequestCancelled", "__version__", "draining", "stopping"]
