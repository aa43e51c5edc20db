# SPDX-License-Identifier: MIT
"""C++ is as clang-format 19 writes it with the .clang-format of the tree."""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lint import Finding, Tree, is_cpp, lint_main

# This version and no other: each formats a little differently.
CLANG_FORMAT = "clang-format-19"
STYLE = Path(__file__).resolve().parents[2] / ".clang-format"
SKIPPED = 77
VIOLATION = re.compile(r"^(\S+?):(\d+):\d+: error: ", re.MULTILINE)
# More of them are no faster: a process costs what a few files cost.
FILES_AT_ONCE = 32


def _judge(folder: Path, paths: list[str]) -> list[Finding]:
    done = subprocess.run(
        [CLANG_FORMAT, "--dry-run", "-Werror", "--ferror-limit=1", *paths],
        cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
    )
    first: dict[str, int] = {}
    for path, line in VIOLATION.findall(done.stderr):
        first.setdefault(path, int(line))
    if done.returncode != 0 and not first:
        return [Finding(paths[0], 1, f"{CLANG_FORMAT} failed: {done.stderr[:1000]}")]
    return [
        Finding(path, line, f"not formatted; this mends it: {CLANG_FORMAT} -i {path}")
        for path, line in first.items()
    ]


def check(tree: Tree) -> list[Finding]:
    paths = sorted(path for path in tree if is_cpp(path))
    # A copy, because the samples lie in no file.
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        folder = Path(name)
        shutil.copy(STYLE, folder)
        for path in paths:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(tree[path], encoding="utf-8")
        parts = [paths[at : at + FILES_AT_ONCE] for at in range(0, len(paths), FILES_AT_ONCE)]
        jobs = [pool.submit(_judge, folder, part) for part in parts]
        return [finding for job in jobs for finding in job.result()]


_MENDED = "this mends it: clang-format-19 -i src/log/a."
BAD = [
    ("src/log/a.cpp", "int  x;\n", _MENDED + "cpp"),
    ("src/log/a.cpp", "void f() {\n  int x = 1;\n}\n", _MENDED + "cpp"),
    ("src/log/a.hpp", "int *x;\n", _MENDED + "hpp"),
    ("src/log/a.cpp", f"int f(int {'a' * 50}, int {'b' * 50});\n", _MENDED + "cpp"),
]
GOOD = [
    ("src/log/a.cpp", "namespace a {\n\nvoid f() {\n    int* x = nullptr;\n}\n\n}  // namespace a\n"),
    ("docs/a.md", "int  x;\n"),
]

if __name__ == "__main__":
    if shutil.which(CLANG_FORMAT) is None:
        print(f"skipped: there is no {CLANG_FORMAT}")
        sys.exit(SKIPPED)
    lint_main(check, BAD, GOOD)
