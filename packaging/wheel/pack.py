# SPDX-License-Identifier: MIT
"""Makes a wheel of what Meson has installed."""

import base64
import csv
import dataclasses
import hashlib
import io
import os
import pathlib
import re
import subprocess
import time
import tomllib
import zipfile

import pyproject_metadata

from pythons import Python
from targets import Target

ROOT = pathlib.Path(__file__).resolve().parents[2]

EXTENSION = re.compile(r"_unicoro\.cpython-(\d+)-.*\.so")


@dataclasses.dataclass(frozen=True)
class Entry:
    name: str  # in the wheel
    data: bytes
    executable: bool = False


def project_metadata() -> pyproject_metadata.StandardMetadata:
    """What pyproject.toml says, with the version that Meson's project has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project["project"]["version"] = version()
    project["project"]["dynamic"].remove("version")
    return pyproject_metadata.StandardMetadata.from_pyproject(project, ROOT)


def version() -> str:
    return re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text())[1]


def extension_name(target: Target, python: Python) -> str:
    number = python.version.replace(".", "")
    # CPython 3.10 has one name for both C libraries; distributions differ there, and all know this one.
    if target.libc == "musl" and python.version == "3.10":
        return "_unicoro.so"
    return f"_unicoro.cpython-{number}-{target.name}.so"


def installed(tree: pathlib.Path, target: Target, python: Python) -> list[Entry]:
    """What is in `tree`, of the extension modules only that of one Python."""
    entries = []
    for path in sorted(tree.rglob("*")):
        # The links are for those who compile against the library.
        if path.is_dir() or path.is_symlink():
            continue
        name = str(path.relative_to(tree))
        extension = EXTENSION.fullmatch(name)
        if extension and extension[1] != python.version.replace(".", ""):
            continue
        if extension:
            name = extension_name(target, python)
        entries.append(Entry(name, path.read_bytes(), os.access(path, os.X_OK)))
    return entries


def described(metadata: pyproject_metadata.StandardMetadata, folder: str, tag: str) -> list[Entry]:
    """The files of the .dist-info folder, but for the record."""
    wheel = f"Wheel-Version: 1.0\nGenerator: unicoro\nRoot-Is-Purelib: false\nTag: {tag}\n"
    scripts = "".join(f"{name} = {call}\n" for name, call in metadata.scripts.items())
    message = metadata.as_rfc822()
    return [
        Entry(f"{folder}/METADATA", bytes(message)),
        Entry(f"{folder}/WHEEL", wheel.encode()),
        Entry(f"{folder}/entry_points.txt", f"[console_scripts]\n{scripts}".encode()),
        *(Entry(f"{folder}/licenses/{path}", (ROOT / path).read_bytes()) for path in metadata.license_files),
    ]


def record(entries: list[Entry], folder: str) -> Entry:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for entry in entries:
        digest = base64.urlsafe_b64encode(hashlib.sha256(entry.data).digest()).rstrip(b"=").decode()
        writer.writerow([entry.name, f"sha256={digest}", len(entry.data)])
    writer.writerow([f"{folder}/RECORD", "", ""])
    return Entry(f"{folder}/RECORD", text.getvalue().encode())


def commit_time() -> time.struct_time:
    """So that the same commit makes the same file."""
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
    return time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH") or asked.stdout or 0))


def make(target: Target, python: Python, tree: pathlib.Path, into: pathlib.Path) -> pathlib.Path:
    """The wheel of one Python and one platform."""
    metadata = project_metadata()
    tag = f"{python.tag}-{python.tag}-{target.tag}"
    name = f"{metadata.name}-{metadata.version}"
    folder = f"{name}.dist-info"
    entries = installed(tree, target, python) + described(metadata, folder, tag)
    if not any(EXTENSION.fullmatch(entry.name) or entry.name == "_unicoro.so" for entry in entries):
        raise SystemExit(f"no extension module for Python {python.version} in {tree}")
    entries.append(record(entries, folder))
    into.mkdir(parents=True, exist_ok=True)
    path = into / f"{name}-{tag}.whl"
    date = max(commit_time()[:6], (1980, 1, 1, 0, 0, 0))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        for entry in entries:
            info = zipfile.ZipInfo(entry.name, date)
            info.external_attr = (0o100755 if entry.executable else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(info, entry.data)
    return path
