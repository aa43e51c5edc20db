# SPDX-License-Identifier: MIT
"""OpenSSL for the wheels of one target: Debian's sources, with Debian's changes, as static archives. libunicoro hides
it, so that it lives beside the one of the Python that loads it."""

import pathlib
import shutil
import subprocess

import pythons
import toolchain
from targets import Target

SUITE = "trixie"
CONFIGURATIONS = {"x86_64": "linux-x86_64", "aarch64": "linux-aarch64"}
# Only what a server of TLS needs, and nothing that is loaded from elsewhere.
OPTIONS = (
    "no-shared no-module no-dso no-tests no-docs no-apps no-legacy no-engine no-comp no-ssl3 no-tls1 no-tls1_1 no-dtls "
    "no-quic no-srp no-psk no-cms no-ts no-ct no-rfc3779 no-whirlpool no-idea no-seed no-camellia no-aria no-bf "
    "no-cast no-des no-rc2 no-rc4 no-md4 no-mdc2 no-rmd160 no-sm2 no-sm3 no-sm4 no-autoload-config"
).split()


def run(command: list, folder: pathlib.Path, said: pathlib.Path, **variables: str) -> None:
    environment = toolchain.environment() | variables
    with open(said, "a") as log:
        done = subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=False)
    if done.returncode != 0:
        raise SystemExit(f"failed: {' '.join(map(str, command))} (what it said: {said})")


def source(folder: pathlib.Path, said: pathlib.Path) -> pathlib.Path:
    """Fetched once for all targets."""
    found = next(folder.glob("openssl-*/Configure"), None)
    if found is None:
        folder.mkdir(parents=True, exist_ok=True)
        options = pythons.apt_options(folder / "apt", "deb-src", SUITE)
        run(["apt-get", *options, "-qq", "update"], folder, said)
        run(["apt-get", *options, "-qq", "source", "openssl"], folder, said)
        found = next(folder.glob("openssl-*/Configure"))
    return found.parent


def c_compiler(target: Target, folder: pathlib.Path) -> pathlib.Path:
    path = folder / f"{target.name}-cc"
    toolchain.write_executable(path, f'#!/bin/sh\nexec {toolchain.ZIG} cc -target {target.zig} "$@"\n')
    return path


def version_of(tree: pathlib.Path) -> str:
    parts = dict(line.split("=", 1) for line in (tree / "VERSION.dat").read_text().splitlines() if "=" in line)
    return f"{parts['MAJOR']}.{parts['MINOR']}.{parts['PATCH']}"


def stage(target: Target, tools: pathlib.Path, jobs: int) -> None:
    """Builds it, and tells pkg-config of it."""
    folder = toolchain.CACHE.parent / "openssl"
    folder.mkdir(parents=True, exist_ok=True)
    said = folder / "said.log"
    original = source(folder / "source", said)
    tree = folder / target.name
    done = tree / "built"
    if not done.exists():
        shutil.rmtree(tree, ignore_errors=True)
        shutil.copytree(original, tree, symlinks=True)
        variables = {
            "CC": str(c_compiler(target, folder)),
            "AR": f"{toolchain.ZIG} ar",
            "RANLIB": f"{toolchain.ZIG} ranlib",
            "CFLAGS": "-O2 -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections -fno-sanitize=undefined",
        }
        configuration = CONFIGURATIONS[target.cpu]
        run(["perl", "Configure", configuration, "--openssldir=/etc/ssl", *OPTIONS], tree, said, **variables)
        run(["make", f"-j{jobs}", "build_libs"], tree, said, **variables)
        done.touch()
    (tools / "pkgconfig").mkdir(parents=True, exist_ok=True)
    (tools / "pkgconfig" / "openssl.pc").write_text(
        f"Name: openssl\nDescription: static\nVersion: {version_of(tree)}\n"
        f"Cflags: -I{tree}/include\nLibs: {tree}/libssl.a {tree}/libcrypto.a\n"
    )
