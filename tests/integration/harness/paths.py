# SPDX-License-Identifier: MIT
"""Where the things under test lie."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("UNICORO_BINARY", ROOT / "build" / "unicoro")).resolve()
BUILD = BINARY.parent
CORPUS = ROOT / "tests" / "corpus"

HELLO = f"{BUILD / 'examples' / 'native' / 'libhello.so'}:app"
PROBE = BUILD / "tests" / "integration" / "native_apps" / "libprobe.so"
CHAT = f"{BUILD / 'examples' / 'native' / 'libchat.so'}:app"
NO_FLAGS = BUILD / "tests" / "integration" / "native_apps" / "libno_flags.so"
LAMBDA = f"{BUILD / 'tests' / 'integration' / 'native_apps' / 'liblambda.so'}:app"
FORK = f"{BUILD / 'tests' / 'integration' / 'native_apps' / 'libfork.so'}:app"
TALK = f"{BUILD / 'tests' / 'integration' / 'native_apps' / 'libtalk.so'}:app"
ROOM = f"{BUILD / 'tests' / 'integration' / 'native_apps' / 'libroom.so'}:app"


def probe(attribute: str = "app") -> str:
    """The spec of one of the applications in native_apps/probe.cpp."""
    return f"{PROBE}:{attribute}"
