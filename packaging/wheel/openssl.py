# SPDX-License-Identifier: MIT
"""OpenSSL for the wheels of one target, as static archives. libunicoro hides it, so that it lives beside the one of
the Python that loads it."""

import pathlib
import shutil

import sources
import toolchain
from targets import Target

SUITE = "bookworm"
CONFIGURATIONS = {"x86_64": "linux-x86_64", "aarch64": "linux-aarch64"}
# Only what a server of TLS needs, and nothing that is loaded from elsewhere.
OPTIONS = (
    "no-shared no-module no-dso no-tests no-legacy no-engine no-comp no-ssl3 no-tls1 no-tls1_1 no-dtls "
    "no-srp no-psk no-cms no-ts no-ct no-rfc3779 no-whirlpool no-idea no-seed no-camellia no-aria no-bf "
    "no-cast no-des no-rc2 no-rc4 no-md4 no-mdc2 no-rmd160 no-sm2 no-sm3 no-sm4 no-autoload-config"
).split()
CFLAGS = "-O2 -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections -fno-sanitize=undefined"


def version_of(tree: pathlib.Path) -> str:
    parts = dict(line.split("=", 1) for line in (tree / "VERSION.dat").read_text().splitlines() if "=" in line)
    return f"{parts['MAJOR']}.{parts['MINOR']}.{parts['PATCH']}"


def build(target: Target, folder: pathlib.Path, jobs: int) -> pathlib.Path:
    """The built tree."""
    tree = folder / target.name
    if sources.is_built(tree, [*OPTIONS, CFLAGS]):
        return tree
    said = folder / "said.log"
    shutil.rmtree(tree, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    sources.unpack("openssl", SUITE, tree, folder / "source", said)
    variables = sources.tools() | {
        "CC": str(sources.c_compiler(target.name, target.zig, folder)),
        "CFLAGS": CFLAGS,
    }
    configuration = CONFIGURATIONS[target.cpu]
    sources.run(["perl", "Configure", configuration, "--openssldir=/etc/ssl", *OPTIONS], tree, said, **variables)
    sources.run(["make", f"-j{jobs}", "build_libs"], tree, said, **variables)
    sources.mark_built(tree, [*OPTIONS, CFLAGS])
    return tree


def stage(target: Target, tools: pathlib.Path, jobs: int) -> None:
    """Builds it, and tells pkg-config of it."""
    tree = build(target, toolchain.CACHE.parent / "openssl", jobs)
    (tools / "pkgconfig").mkdir(parents=True, exist_ok=True)
    (tools / "pkgconfig" / "openssl.pc").write_text(
        f"Name: openssl\nDescription: static\nVersion: {version_of(tree)}\n"
        f"Cflags: -I{tree}/include\nLibs: {tree}/libssl.a {tree}/libcrypto.a\n"
    )
