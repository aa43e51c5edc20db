# SPDX-License-Identifier: MIT
"""Builds the wheels: ./dev wheel [TARGET...]. One build per platform, in which the server is compiled once
and the extension module once for each Python; docs/packaging.md tells how and why."""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

import check
import libraries
import openssl
import pack
import pythons
import runtime
import toolchain
from targets import TARGETS, Target

BUILD = toolchain.CACHE.parent
DIST = pack.ROOT / "dist"

# Where Meson installs a wheel's files to, below the folder that it is told.
SITE = "/site"
# Not what native applications are compiled with.
TAGS = "runtime,python-runtime,systemd,doc"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev wheel", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(TARGETS)} (all)")
    parser.add_argument("--python", action="append", metavar="VERSION", help="such as 3.12 (all); may be repeated")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="compilers at a time")
    asked = parser.parse_args()
    unknown = [name for name in asked.targets if name not in TARGETS]
    if unknown:
        parser.error(f"unknown target {unknown[0]}: choose from {', '.join(TARGETS)}")
    return asked


def find_pythons(versions: list[str]) -> list[pythons.Python]:
    found = []
    for version in versions:
        python = pythons.find(version)
        if python is None:
            raise SystemExit(f"no Python {version} with its headers: install it, or name the others with --python")
        print(f"== Python {version}: {python.executable}", flush=True)
        found.append(python)
    return found


def run(command: list, **kwargs) -> None:
    if subprocess.run(command, env=toolchain.environment(), check=False, **kwargs).returncode != 0:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")


def configure(target: Target, found: list[pythons.Python], jobs: int) -> pathlib.Path:
    """The configured build folder of a target."""
    tools = BUILD / target.name / "toolchain"
    library = runtime.archive(target, tools, jobs)
    link_args = ["-nostdlib++", *runtime.unwinder(target, tools), "-s"]
    cross = toolchain.cross_file(target, tools, link_args)
    openssl.stage(target, tools, jobs)
    libraries.stage(target, tools, jobs)
    for python in found:
        pythons.stage_debian_headers(python, tools / "include")
    folder = BUILD / target.name / "build"
    options = {
        "python": ",".join(str(python.executable) for python in found),
        "wheel": "true",
        "cxx_runtime": library,
        "python.platlibdir": SITE,
        "python.purelibdir": SITE,
        # pip does so for the Python that it installs for.
        "python.bytecompile": "-1",
        "buildtype": "release",
        "optimization": "2",
        "b_lto": "true",
        "b_lto_mode": "thin",
        "wrap_mode": "nofallback",
        "gzip": "enabled",
        "brotli": "enabled",
        "zstd": "enabled",
    }
    command = ["meson", "setup", folder, pack.ROOT, "--cross-file", cross]
    if (folder / "build.ninja").exists():
        command.append("--reconfigure")
    run(command + [f"-D{name}={value}" for name, value in options.items()])
    return folder


def name_libc(target: Target, tree: pathlib.Path) -> None:
    """Of musl's names for itself the one that distributions have and auditwheel knows (PEP 656)."""
    for path in tree.rglob("*"):
        if path.is_symlink() or not path.is_file() or path.open("rb").read(4) != b"\x7fELF":
            continue
        run(["patchelf", "--replace-needed", "libc.so", f"libc.musl-{target.cpu}.so.1", path])


def build(target: Target, found: list[pythons.Python], jobs: int) -> list[pathlib.Path]:
    print(f"== {target.name}", flush=True)
    folder = configure(target, found, jobs)
    run(["ninja", "-C", folder, f"-j{jobs}"])
    tree = BUILD / target.name / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    run(["meson", "install", "-C", folder, "--no-rebuild", "--tags", TAGS, "--destdir", tree, "--quiet"])
    if target.libc == "musl":
        name_libc(target, tree)
    return [pack.make(target, python, tree / SITE.lstrip("/"), DIST) for python in found]


def build_source() -> None:
    print("== source distribution", flush=True)
    run([sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", DIST, pack.ROOT])


def main() -> None:
    asked = parse()
    build_source()
    found = find_pythons(asked.python or list(pythons.VERSIONS))
    made = []
    for name in asked.targets or TARGETS:
        made += build(TARGETS[name], found, asked.jobs)
    for wheel in made:
        print(check.check(wheel), flush=True)


if __name__ == "__main__":
    main()
