# SPDX-License-Identifier: MIT
"""nghttp2's library for the wheels of one target, as a static archive that libunicoro hides."""

import pathlib
import re
import shutil

import sources
import toolchain
from targets import Target

# The first with its limits for floods and without Debian's changes.
SUITE = "trixie"
DEFINES = (
    "-DNGHTTP2_STATICLIB -DHAVE_ARPA_INET_H=1 -DHAVE_NETINET_IN_H=1 -DHAVE_CLOCK_GETTIME=1 "
    "-DHAVE_DECL_CLOCK_MONOTONIC=1"
).split()


def version_of(tree: pathlib.Path) -> str:
    text = (tree / "configure.ac").read_text()
    return re.search(r"AC_INIT\(\[nghttp2\],\s*\[([0-9.]+)", text)[1]


def write_version(tree: pathlib.Path) -> None:
    """What nghttp2's configure makes of its template."""
    version = version_of(tree)
    number = "0x" + "".join(f"{int(part):02x}" for part in version.split("."))
    headers = tree / "lib" / "includes" / "nghttp2"
    template = (headers / "nghttp2ver.h.in").read_text()
    made = template.replace("@PACKAGE_VERSION@", version).replace("@PACKAGE_VERSION_NUM@", number)
    (headers / "nghttp2ver.h").write_text(made)


def build(target: Target, folder: pathlib.Path) -> pathlib.Path:
    """The built tree."""
    tree = folder / target.name
    if (tree / "built").exists():
        return tree
    said = folder / "said.log"
    shutil.rmtree(tree, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    sources.unpack("nghttp2", SUITE, tree, folder / "source", said)
    write_version(tree)
    compiler = sources.c_compiler(target.name, target.zig, folder)
    options = "-O2 -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections -fno-sanitize=undefined".split()
    parts = sorted((tree / "lib").glob("*.c"))
    sources.run([compiler, *options, *DEFINES, "-Iincludes", "-c", *parts], tree / "lib", said)
    objects = [part.with_suffix(".o") for part in parts]
    sources.run([*sources.tools()["AR"].split(), "rcs", "libnghttp2.a", *objects], tree / "lib", said)
    (tree / "built").touch()
    return tree


def stage(target: Target, tools: pathlib.Path) -> None:
    """Builds it, and tells pkg-config of it."""
    tree = build(target, toolchain.CACHE.parent / "nghttp2")
    (tools / "pkgconfig").mkdir(parents=True, exist_ok=True)
    (tools / "pkgconfig" / "libnghttp2.pc").write_text(
        f"Name: libnghttp2\nDescription: static\nVersion: {version_of(tree)}\n"
        f"Cflags: -DNGHTTP2_STATICLIB -I{tree}/lib/includes\nLibs: {tree}/lib/libnghttp2.a\n"
    )
