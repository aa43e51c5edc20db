# SPDX-License-Identifier: MIT
"""roots.py [NAME...]: makes what test_wheels.py and test_emulated.py serve in, below build-wheel/roots, as root: Debian
12 and testing as they are without a compiler, Debian 11 with a CPython that runs there, one with musl, and one
of aarch64. Each is made once."""

import pathlib
import shutil
import subprocess
import sys

import cpython
from places import ROOTS

MIRROR = "http://deb.debian.org/debian"


def debootstrap(root: pathlib.Path, suite: str, packages: str, *options: str) -> None:
    unfinished = root.with_name(root.name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", f"--include={packages}", *options, suite, unfinished, MIRROR]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    for package in (unfinished / "var/cache/apt/archives").glob("*.deb"):
        if "--foreign" in options:
            # Its own programs would have to run to install them: what is in them is enough.
            subprocess.run(["dpkg-deb", "-x", package, unfinished], check=True)
        package.unlink()
    unfinished.rename(root)
    configure(root)


def configure(root: pathlib.Path) -> None:
    """The network as here: names, and who is trusted."""
    for path in ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"):
        if pathlib.Path(path).exists():
            (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / path.lstrip("/"))


def debian12(root: pathlib.Path) -> None:
    debootstrap(root, "bookworm", "python3,python3-venv,ca-certificates")


def testing(root: pathlib.Path) -> None:
    debootstrap(root, "testing", "python3,python3-venv,ca-certificates")


def debian11(root: pathlib.Path) -> None:
    """Its own Python is too old."""
    debootstrap(root, "bullseye", "ca-certificates")
    cpython.install("x86_64-linux-gnu", root)


def musl(root: pathlib.Path) -> None:
    debootstrap(root, "bookworm", "musl,ca-certificates")
    cpython.install("x86_64-linux-musl", root)


def arm64(root: pathlib.Path) -> None:
    debootstrap(root, "bookworm", "python3,python3-venv,ca-certificates", "--arch=arm64", "--foreign")
    shutil.copy("/usr/bin/qemu-aarch64-static", root / "usr/bin")


MAKERS = {maker.__name__: maker for maker in (debian12, testing, debian11, musl, arm64)}


def main() -> None:
    ROOTS.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or MAKERS:
        if not (ROOTS / name).exists():
            print(f"== {name}", flush=True)
            MAKERS[name](ROOTS / name)


if __name__ == "__main__":
    main()
