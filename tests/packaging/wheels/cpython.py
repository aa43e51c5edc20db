# SPDX-License-Identifier: MIT
"""A CPython for an old glibc or for musl, from Debian's sources: no registry has one to install. It has what Flask
needs, which is zlib besides the standard library; without ssl, pip cannot fetch with it, and gevent patches nothing."""

import os
import pathlib
import shutil
import subprocess
import sys

from places import BUILD, ROOT

sys.path.insert(0, str(ROOT / "packaging" / "wheel"))

import pythons  # noqa: E402
import toolchain  # noqa: E402
from targets import TARGETS  # noqa: E402

VERSION = "3.13"
SUITE = "trixie"
FOLDER = BUILD / "cpython"


def run(command: list, folder: pathlib.Path, **variables: str) -> None:
    environment = toolchain.environment() | variables
    with open(FOLDER / "said.log", "a") as said:
        done = subprocess.run(command, cwd=folder, env=environment, stdout=said, stderr=said, check=False)
    if done.returncode != 0:
        raise SystemExit(f"failed: {command[0]} (what it said: {FOLDER}/said.log)")


def source(package: str, into: pathlib.Path) -> pathlib.Path:
    """What Debian builds a package from, without Debian's changes; into a folder that is not there yet."""
    downloads = FOLDER / package
    downloads.mkdir(parents=True, exist_ok=True)
    options = pythons.apt_options(FOLDER / "apt", "deb-src", SUITE)
    run(["apt-get", *options, "-qq", "update"], downloads)
    run(["apt-get", *options, "-qq", "source", "--download-only", "--tar-only", package], downloads)
    archive = next(path for path in downloads.glob("*.orig.tar.*") if not path.name.endswith(".asc"))
    into.mkdir(parents=True)
    run(["tar", "-xf", archive, "-C", into, "--strip-components=1"], FOLDER)
    return into


def c_compiler(name: str, folder: pathlib.Path) -> pathlib.Path:
    path = folder / f"{name}-cc"
    # Programs for musl are linked statically if one does not ask, and such a one loads no extension.
    options = "-dynamic" if name.endswith("musl") else ""
    text = f'#!/bin/sh\nexec {toolchain.ZIG} cc -target {TARGETS[name].zig} {options} "$@"\n'
    toolchain.write_executable(path, text)
    return path


def build(name: str) -> pathlib.Path:
    """The built tree, to be installed from."""
    folder = FOLDER / name
    made = folder / "python"
    if (made / "built").exists():
        return made
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tools = {
        "CC": str(c_compiler(name, folder)),
        "AR": f"{toolchain.ZIG} ar",
        "RANLIB": f"{toolchain.ZIG} ranlib",
        "CFLAGS": "-O1 -g0 -fno-sanitize=undefined -Wno-date-time",
    }
    jobs = f"-j{os.cpu_count()}"
    zlib = source("zlib", folder / "zlib")
    run(["./configure", "--static", "--prefix=/usr"], zlib, **tools)
    run(["make", jobs, "libz.a"], zlib)
    source(f"python{VERSION}", made)
    flags = {"ZLIB_CFLAGS": f"-I{zlib}", "ZLIB_LIBS": f"-L{zlib} -lz", "PKG_CONFIG": "false"}
    options = [f"--prefix={prefix()}", "--disable-test-modules", "--without-static-libpython", "--with-ensurepip=no"]
    run(["./configure", *options], made, **tools, **flags)
    run(["make", jobs], made)
    (made / "built").touch()
    return made


def prefix() -> str:
    return f"/opt/python{VERSION}"


def install(name: str, root: pathlib.Path) -> None:
    """Into a root, as /opt/python3.14."""
    run(["make", "install", f"DESTDIR={root}"], build(name))
