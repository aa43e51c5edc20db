# SPDX-License-Identifier: MIT
"""Compiles each header alone, twice in one file: it must include what it uses and guard itself.

usage: self_contained.py --build BUILD_DIR [--root ROOT] | --self-test
"""

import argparse
import concurrent.futures
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Of a compile command only this matters to a header.
KEPT = ("-I", "-isystem", "-D", "-U", "-std=")


def flags_of(command: list[str]) -> list[str]:
    kept = []
    for i, word in enumerate(command):
        if word in ("-I", "-isystem", "-D"):
            kept += [word, command[i + 1]]
        elif word.startswith(KEPT) and word not in KEPT:
            kept.append(word)
    return kept


def compile_commands(build: Path) -> dict[Path, list[str]]:
    """Source file -> its compile command."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    return {
        Path(os.path.normpath(build / entry["file"])): shlex.split(entry["command"])
        for entry in entries
        if entry["file"].endswith(".cpp")
    }


def compiler_of(command: list[str]) -> list[str]:
    """ccache, if the build uses it, and the compiler."""
    return command[:2] if Path(command[0]).name == "ccache" else command[:1]


def flags_for(header: Path, root: Path, commands: dict[Path, list[str]]) -> list[str] | None:
    """Those of a source file beside the header; a public header is used like one of src/app."""
    name = header.relative_to(root)
    folder = root / "src" / "app" if name.parts[0] == "include" else header.parent
    for source, command in commands.items():
        if source.parent == folder:
            return compiler_of(command) + flags_of(command)
    return None


def compile_alone(header: Path, command: list[str], build: Path, work: Path) -> str | None:
    """The compiler's complaint, if there is one."""
    name = "_".join(header.parts[-4:])
    source = work / f"{name}.cpp"
    # By relative names: what ccache keeps serves wherever the tree lies.
    include = f'#include "{os.path.relpath(header, work)}"\n'
    source.write_text(include * 2, encoding="utf-8")
    short = os.path.relpath(source, build)
    done = subprocess.run(
        [*command, "-O0", "-w", "-c", short, "-o", str(Path(short).with_suffix(".o"))],
        cwd=build, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
    )
    return None if done.returncode == 0 else f"{header} does not compile alone:\n{done.stderr[:2000]}"


def judge(root: Path, build: Path, work: Path) -> tuple[int, list[str]]:
    commands = compile_commands(build)
    headers = sorted((root / "src").rglob("*.hpp")) + sorted((root / "include").rglob("*.hpp"))
    jobs, complaints = [], []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for header in headers:
            if header.parent.name == "pch":
                continue
            command = flags_for(header, root, commands)
            if command is None:
                complaints.append(f"{header}: no source file in its folder is compiled")
            else:
                jobs.append(pool.submit(compile_alone, header, command, build, work))
        complaints += [text for job in jobs if (text := job.result())]
    return len(headers), complaints


def self_test() -> int:
    """A good header, one that forgets an #include and one without a guard."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = root / "src" / "log"
        folder.mkdir(parents=True)
        (root / "include").mkdir()
        samples = {
            "good.hpp": "#pragma once\n#include <string>\nstd::string f();\n",
            "forgets.hpp": "#pragma once\nstd::string f();\n",
            "unguarded.hpp": "struct a {};\n",
        }
        for header, text in samples.items():
            (folder / header).write_text(text, encoding="utf-8")
        compiler = shutil.which("c++") or "c++"
        entry = {"file": str(folder / "a.cpp"), "command": f"{compiler} -std=c++20 -O2 -c a.cpp"}
        (root / "compile_commands.json").write_text(json.dumps([entry]), encoding="utf-8")
        _, complaints = judge(root, root, root)
    caught = {Path(text.split(" ", 1)[0]).name for text in complaints}
    print(f"caught {sorted(caught)}")
    return 0 if caught == {"forgets.hpp", "unguarded.hpp"} else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=Path)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    if options.build is None:
        parser.error("--build is needed")
    # A fixed place: ccache knows the files again.
    work = options.build / "self_contained"
    work.mkdir(exist_ok=True)
    count, complaints = judge(options.root.resolve(), options.build.resolve(), work.resolve())
    for complaint in complaints:
        print(complaint)
    print(f"{count} headers, {len(complaints)} complaints")
    return 1 if complaints or not count else 0


if __name__ == "__main__":
    sys.exit(main())
