# SPDX-License-Identifier: MIT
"""The Pythons that the extension is built for: an interpreter of each version, which compiles the Python
package and knows the headers. Those of the machine are taken, and what is missing comes from Debian."""

import dataclasses
import glob
import os
import pathlib
import shlex
import subprocess

# Outside the source tree, where Meson refuses to have headers.
FETCHED = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "unicoro" / "pythons"

VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")

PROBE = """
import os, sys, sysconfig
print("%d.%d" % sys.version_info[:2])
print(sys.implementation.name, bool(sysconfig.get_config_var("Py_GIL_DISABLED")), hasattr(sys, "gettotalrefcount"))
print(sysconfig.get_paths()["include"])
"""


@dataclasses.dataclass(frozen=True)
class Python:
    version: str  # "3.12"
    executable: pathlib.Path
    include: pathlib.Path

    @property
    def tag(self) -> str:
        return "cp" + self.version.replace(".", "")


def probe(executable: str) -> Python | None:
    """None if nothing can be built for it: no CPython, none with a GIL, a debug build, no headers."""
    try:
        ran = subprocess.run([executable, "-I", "-c", PROBE], capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    if ran.returncode != 0:
        return None
    version, kind, include = ran.stdout.strip().split("\n")
    if kind != "cpython False False" or not pathlib.Path(include, "Python.h").exists():
        return None
    return Python(version, pathlib.Path(executable), pathlib.Path(include))


def candidates(version: str) -> list[str]:
    home = pathlib.Path.home()
    found = [f"{folder}/python{version}" for folder in os.get_exec_path() if "/.venv" not in folder]
    for pattern in (
        home / f".pyenv/versions/{version}*/bin/python3",
        home / f".local/share/uv/python/cpython-{version}*/bin/python3",
    ):
        found += sorted(glob.glob(str(pattern)), reverse=True)
    return [path for path in found if os.access(path, os.X_OK)]


def find(version: str) -> Python | None:
    """One of this machine's, or what Debian testing has."""
    for candidate in candidates(version):
        found = probe(candidate)
        if found is not None and found.version == version:
            return found
    return from_debian(version, FETCHED / f"python{version}")


def stage_debian_headers(python: Python, include: pathlib.Path) -> None:
    """Debian keeps pyconfig.h apart, in a folder named after the platform. That of this machine does for
    all that have 64 bits: the sizes are the same, and extensions see nothing else of it."""
    for platform in ("x86_64-linux-gnu", "aarch64-linux-gnu"):
        own = next(python.include.parent.glob(f"*-linux-gnu/python{python.version}"), None)
        link = include / platform / f"python{python.version}"
        if own is not None:
            link.parent.mkdir(parents=True, exist_ok=True)
            # What is there may be another interpreter's that was built for before.
            link.unlink(missing_ok=True)
            link.symlink_to(own)


# --- from Debian testing ------------------------------------------------------------------------

DEBIAN = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def apt_options(folder: pathlib.Path, kind: str = "deb", suite: str = "testing") -> list[str]:
    """Makes apt see one suite, or its sources ("deb-src"), and nothing of this machine's."""
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    sources = folder / "sources.list"
    sources.write_text(f"{kind} [signed-by={KEYRING}] {DEBIAN} {suite} main\n")
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def from_debian(version: str, folder: pathlib.Path) -> Python | None:
    """An interpreter with its own C library, unpacked into `folder`."""
    launcher = folder / f"python{version}"
    if not launcher.exists():
        packages = [
            f"python{version}-minimal",
            f"libpython{version}-minimal",
            f"libpython{version}-stdlib",
            f"libpython{version}-dev",
            "libc6",
            "libexpat1",
            "zlib1g",
        ]
        options = apt_options(folder / "apt")
        try:
            subprocess.run(["apt-get", *options, "-qq", "update"], check=True)
            subprocess.run(["apt-get", *options, "-qq", "download", *packages], check=True, cwd=folder)
        except subprocess.CalledProcessError:
            return None
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, folder / "root"], check=True)
            package.unlink()
        write_launcher(launcher, folder / "root", version)
    return probe(str(launcher))


def write_launcher(launcher: pathlib.Path, root: pathlib.Path, version: str) -> None:
    loader = next(root.glob("**/ld-linux-*.so.2"))
    libraries = {str(path.parent) for path in root.glob("**/lib*.so.*")}
    command = [str(loader), "--library-path", ":".join(sorted(libraries)), str(root / f"usr/bin/python{version}")]
    launcher.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    launcher.chmod(0o755)
