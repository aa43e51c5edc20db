# SPDX-License-Identifier: MIT
"""Sources of other projects, as Debian keeps them, without Debian's changes; and how they are built."""

import pathlib
import subprocess

import pythons
import toolchain


def run(command: list, folder: pathlib.Path, said: pathlib.Path, **variables: str) -> None:
    """What it says goes to a file."""
    environment = toolchain.environment() | variables
    with open(said, "a") as log:
        done = subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=False)
    if done.returncode != 0:
        raise SystemExit(f"failed: {command[0]} (what it said: {said})")


def unpack(package: str, suite: str, into: pathlib.Path, downloads: pathlib.Path, said: pathlib.Path) -> pathlib.Path:
    """Into a folder that is not there yet; fetched into `downloads`, once."""
    downloads.mkdir(parents=True, exist_ok=True)
    if archive_in(downloads) is None:
        options = pythons.apt_options(downloads / "apt", "deb-src", suite)
        run(["apt-get", *options, "-qq", "update"], downloads, said)
        run(["apt-get", *options, "-qq", "source", "--download-only", "--tar-only", package], downloads, said)
    into.mkdir(parents=True)
    run(["tar", "-xf", archive_in(downloads), "-C", into, "--strip-components=1"], downloads, said)
    return into


def archive_in(folder: pathlib.Path) -> pathlib.Path | None:
    return next((path for path in folder.glob("*.orig.tar.*") if not path.name.endswith(".asc")), None)


def is_built(tree: pathlib.Path, options: list[str]) -> bool:
    """Whether all of it has been built, and with these options."""
    mark = tree / "built"
    return mark.exists() and mark.read_text() == " ".join(options)


def mark_built(tree: pathlib.Path, options: list[str]) -> None:
    (tree / "built").write_text(" ".join(options))


def c_compiler(target: str, zig_target: str, folder: pathlib.Path, options: str = "") -> pathlib.Path:
    path = folder / f"{target}-cc"
    toolchain.write_executable(path, f'#!/bin/sh\nexec {toolchain.ZIG} cc -target {zig_target} {options} "$@"\n')
    return path


def tools() -> dict[str, str]:
    """What archives are made with."""
    return {"AR": f"{toolchain.ZIG} ar", "RANLIB": f"{toolchain.ZIG} ranlib"}
