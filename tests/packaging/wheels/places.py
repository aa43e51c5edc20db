# SPDX-License-Identifier: MIT
"""Where wheels are tried: environments of this machine's Pythons, and roots of other systems."""

import dataclasses
import os
import pathlib
import platform
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
DIST = pathlib.Path(os.environ.get("UNICORO_DIST", ROOT / "dist"))
BUILD = ROOT / "build-wheel"
ROOTS = pathlib.Path(os.environ.get("UNICORO_ROOTS", BUILD / "roots"))
WHEELHOUSE = ("flask", "gevent")

PLATFORMS = {"gnu": "manylinux_2_28", "musl": "musllinux_1_2"}
# What other packages' wheels may be tagged with there.
OLDER = {"gnu": ("manylinux_2_28", "manylinux_2_17", "manylinux2014"), "musl": ("musllinux_1_2", "musllinux_1_1")}


def wheel_for(version: str, libc: str = "gnu", cpu: str | None = None) -> pathlib.Path | None:
    """The newest wheel in dist/ for a Python and a platform."""
    tag = "cp" + version.replace(".", "")
    pattern = f"unicoro-*-{tag}-{tag}-{PLATFORMS[libc]}_{cpu or platform.machine()}.whl"
    return max(DIST.glob(pattern), key=lambda path: path.stat().st_mtime, default=None)


@dataclasses.dataclass
class Place:
    """A Python somewhere; commands get paths as they are seen there."""

    name: str
    python: str
    root: pathlib.Path | None = None  # of another system; None = this one
    emulator: tuple[str, ...] = ()
    libc: str = "gnu"
    cpu: str = platform.machine()
    fetches: bool = True  # its pip can

    def command(self, words: list[str]) -> list[str]:
        """The one process that it makes is the program itself."""
        if self.root is None:
            return words
        root = shlex.quote(str(self.root))
        script = f"mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev && exec chroot {root} \"$@\""
        plain = ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/root"]
        kept = [f"{name}={os.environ[name]}" for name in ("PYTHONPATH", "PIP_CERT") if name in os.environ]
        # Outside: the programs of a root may be another processor's.
        return [*plain, *kept, "unshare", "--mount", "sh", "-c", script, "sh", *self.emulator, *words]

    def run(self, words: list[str], patience: float = 1800) -> str:
        done = subprocess.run(self.command(words), capture_output=True, text=True, timeout=patience)
        assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout

    def outside(self, path: str) -> pathlib.Path:
        return pathlib.Path(path) if self.root is None else self.root / path.lstrip("/")

    def version(self) -> str:
        return self.run([self.python, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()

    def give(self, path: pathlib.Path, folder: str) -> str:
        """Copies a file into the place; where it is there."""
        self.outside(folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, self.outside(folder))
        return f"{folder}/{path.name}"


def download(version: str, platforms: list[str], into: pathlib.Path) -> None:
    """Puts the wheels of what is served besides into a folder, for a pip that cannot fetch them."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", into, "--only-binary=:all:"]
    command += ["--implementation=cp", f"--python-version={version}", f"--abi=cp{version.replace('.', '')}"]
    command += [f"--platform={name}" for name in platforms]
    subprocess.run([*command, *WHEELHOUSE], check=True)


def machine_pythons() -> list[Place]:
    """Each Python of this machine that can be asked for its version, from 3.10 on."""
    found: dict[str, Place] = {}
    folders = [*pathlib.Path.home().glob(".pyenv/versions/*/bin"), *map(pathlib.Path, ("/usr/bin", "/usr/local/bin"))]
    for path in (path for folder in folders for path in sorted(folder.glob("python3.[0-9]*"))):
        if path.name.removeprefix("python3.").isdigit() and int(path.name.removeprefix("python3.")) >= 10:
            found[str(path.resolve())] = Place(str(path), str(path))
    return list(found.values())


def other_roots() -> list[Place]:
    """Those that `roots.py` has made."""
    places = []
    for root in sorted(path for path in ROOTS.glob("*") if path.is_dir()):
        for python in sorted(root.glob("usr/bin/python3.[0-9]*")) + sorted(root.glob("opt/python*/bin/python3.[0-9]*")):
            if not python.name.removeprefix("python3.").isdigit() or root.name.startswith("arm64"):
                continue
            libc = "musl" if "musl" in root.name else "gnu"
            where = "/" + str(python.relative_to(root))
            own = python.is_relative_to(root / "opt")
            places.append(Place(f"{root.name}: {where}", where, root, libc=libc, fetches=not own))
    return places
