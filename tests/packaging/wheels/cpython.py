# SPDX-License-Identifier: MIT
"""A CPython for an old glibc or for musl, from Debian's sources: no registry has one to install. It has what Flask
needs, which is zlib besides the standard library; without ssl, pip cannot fetch with it, and gevent patches nothing."""

import os
import pathlib
import shutil
import sys

from places import BUILD, ROOT

sys.path.insert(0, str(ROOT / "packaging" / "wheel"))

import sources  # noqa: E402
from targets import TARGETS  # noqa: E402

VERSION = "3.13"
SUITE = "trixie"
FOLDER = BUILD / "cpython"
SAID = FOLDER / "said.log"


def unpack(package: str, into: pathlib.Path) -> pathlib.Path:
    return sources.unpack(package, SUITE, into, FOLDER / package, SAID)


def build(name: str) -> pathlib.Path:
    """The built tree, to be installed from."""
    folder = FOLDER / name
    made = folder / "python"
    if (made / "built").exists():
        return made
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # Programs for musl are linked statically if one does not ask, and such a one loads no extension.
    dynamic = "-dynamic" if name.endswith("musl") else ""
    tools = sources.tools() | {
        "CC": str(sources.c_compiler(name, TARGETS[name].zig, folder, dynamic)),
        "CFLAGS": "-O1 -g0 -fno-sanitize=undefined -Wno-date-time",
    }
    jobs = f"-j{os.cpu_count()}"
    zlib = unpack("zlib", folder / "zlib")
    sources.run(["./configure", "--static", "--prefix=/usr"], zlib, SAID, **tools)
    sources.run(["make", jobs, "libz.a"], zlib, SAID)
    unpack(f"python{VERSION}", made)
    flags = {"ZLIB_CFLAGS": f"-I{zlib}", "ZLIB_LIBS": f"-L{zlib} -lz", "PKG_CONFIG": "false"}
    options = [f"--prefix={prefix()}", "--disable-test-modules", "--without-static-libpython", "--with-ensurepip=no"]
    sources.run(["./configure", *options], made, SAID, **tools, **flags)
    sources.run(["make", jobs], made, SAID)
    (made / "built").touch()
    return made


def prefix() -> str:
    return f"/opt/python{VERSION}"


def install(name: str, root: pathlib.Path) -> None:
    """Into a root, below `prefix()`."""
    sources.run(["make", "install", f"DESTDIR={root}"], build(name), SAID)
