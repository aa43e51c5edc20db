# SPDX-License-Identifier: MIT
"""Runs clang-tidy 19 with the tree's .clang-tidy over every source file below src/, in parallel. Files of one
folder are looked at a few at a time, as if they were one: most of the time goes into the headers they share.

usage: tidy.py --build BUILD_DIR [--root ROOT] [PATH...] | --self-test

The compile commands are those of the build, which g++ made, without what clang cannot take. A file without
findings is not looked at again until it, a header of ours that it reaches, its command, the checks or a
library's version change: there is a mark for each below ~/.cache, beside what ccache keeps. Exit code 77
where there is no clang-tidy-19.
"""

import argparse
import concurrent.futures
import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lint import includes
from self_contained import compile_commands

CLANG_TIDY = "clang-tidy-19"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "unicoro" / "clang-tidy"
MARK_DAYS = 30
BUNDLE = 6
SKIPPED = 77
# Of the output and the dependencies, and the precompiled header of g++ together with what belongs to it.
WITH_ARGUMENT = {"-MQ", "-MF", "-o", "-include"}
DROPPED = {"-MD", "-fpch-preprocess", "-Winvalid-pch"}
# An instrumented build has the same source, and options that only g++ knows.
OF_SANITIZERS = ("-fsanitize", "--param=")
FINDING = re.compile(r"^\S+?:\d+:\d+: (?:warning|error): ", re.MULTILINE)


def for_clang(command: list[str]) -> list[str]:
    kept = ["clang++-19", "-Wno-unknown-warning-option"]
    words = iter(command)
    for word in words:
        if word in WITH_ARGUMENT:
            next(words)
        elif word not in DROPPED and not word.startswith(OF_SANITIZERS):
            kept.append(word)
    # ccache and the compiler stood first.
    first = next(at for at, word in enumerate(kept[2:], 2) if word.startswith("-"))
    return kept[:2] + kept[first:]


def version_of_everything(root: Path, build: Path) -> bytes:
    """What every mark depends on: clang-tidy, the checks, the libraries."""
    said = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, check=True).stdout
    libraries = build / "meson-info" / "intro-dependencies.json"
    known = json.loads(libraries.read_text(encoding="utf-8")) if libraries.exists() else []
    versions = sorted((each["name"], each["version"]) for each in known)
    return said + (root / ".clang-tidy").read_bytes() + json.dumps(versions).encode()


class Reach:
    """Which files of ours a file includes, directly or not."""

    def __init__(self, root: Path, build: Path):
        self.root = root
        self.folders = [root / "src", root / "include", build / "src" / "python"]
        self.texts: dict[Path, str] = {}
        self.direct: dict[Path, list[Path]] = {}

    def text(self, path: Path) -> str:
        if path not in self.texts:
            self.texts[path] = path.read_text(encoding="utf-8")
        return self.texts[path]

    def _direct(self, path: Path) -> list[Path]:
        if path not in self.direct:
            names = [name for _, _, name in includes(self.text(path))]
            places = [folder / name for name in names for folder in (path.parent, *self.folders)]
            self.direct[path] = [place for place in places if place.is_file()]
        return self.direct[path]

    def __call__(self, path: Path) -> list[Path]:
        waiting, seen = [path], {path}
        while waiting:
            for each in self._direct(waiting.pop()):
                if each not in seen:
                    seen.add(each)
                    waiting.append(each)
        return sorted(seen)


def bundles_of(due: list[Path], commands: dict[Path, list[str]]) -> list[list[Path]]:
    """Neighbours that are compiled alike."""
    alike: dict[tuple, list[Path]] = {}
    for source in sorted(due):
        own = {str(source), *(word for word in commands[source] if source.name in word)}
        options = tuple(word for word in commands[source] if word not in own)
        alike.setdefault((source.parent, options), []).append(source)
    return [
        group[at:at + BUNDLE] for group in alike.values() for at in range(0, len(group), BUNDLE)
    ]


def as_one(bundle: list[Path], command: list[str], work: Path) -> tuple[Path, dict]:
    """A source that includes them all, and how it is compiled."""
    text = "".join(f'#include "{source}"\n' for source in bundle)
    path = work / f"bundle_{hashlib.sha256(text.encode()).hexdigest()[:16]}.cpp"
    path.write_text(text, encoding="utf-8")
    names = {str(bundle[0]), os.path.relpath(bundle[0], work.parent)}
    arguments = [str(path) if word in names else word for word in command]
    return path, {"directory": str(work.parent), "file": str(path), "arguments": arguments}


def run_clang_tidy(source: Path, root: Path, work: Path, *more: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [CLANG_TIDY, "-p", str(work), "--quiet", f"--config-file={root / '.clang-tidy'}",
         "--warnings-as-errors=*", *more, str(source)],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
    )


def judge_bundle(bundle: list[Path], one: Path, root: Path, work: Path) -> dict[Path, str]:
    """What clang-tidy says of each of them; empty when it is content."""
    if len(bundle) > 1:
        # Names may clash, and one file may use what another includes: what is found is found again alone.
        done = run_clang_tidy(
            one, root, work, "--checks=-bugprone-suspicious-include",
            r"--header-filter=.*/(src|include)/.*\.[ch]pp$",
        )
        if done.returncode == 0:
            return dict.fromkeys(bundle, "")
    return {source: judge(source, root, work) for source in bundle}


def judge(source: Path, root: Path, work: Path) -> str:
    """The same of one file."""
    done = run_clang_tidy(source, root, work)
    if FINDING.search(done.stdout):
        return done.stdout
    if done.returncode == 0:
        return ""
    return f"{source}:1: {CLANG_TIDY} failed: {(done.stdout + done.stderr)[-2000:]}\n"


def mark_of(source: Path, command: list[str], common: bytes, reach: Reach) -> str:
    """The same for the same text, wherever the tree lies."""
    seen = hashlib.sha256(common + "\0".join(command).encode())
    for each in reach(source):
        place = each.relative_to(reach.root) if each.is_relative_to(reach.root) else each.name
        seen.update(f"\0{place}\0{reach.text(each)}".encode())
    return seen.hexdigest()


def forget_old_marks(cache: Path) -> None:
    end = time.time() - MARK_DAYS * 86400
    for mark in cache.iterdir():
        if mark.stat().st_mtime < end:
            mark.unlink(missing_ok=True)


def tidy(root: Path, build: Path, cache: Path, only: list[Path]) -> tuple[int, int, int]:
    """(files, how many of them were looked at, findings); prints the findings."""
    commands = {
        source: for_clang(command)
        for source, command in compile_commands(build).items()
        if source.is_relative_to(root / "src") and source.parent.name != "pch"
        if not only or source in only
    }
    work = build / "clang-tidy"
    work.mkdir(exist_ok=True)
    entries = [
        {"directory": str(build), "file": str(source), "arguments": command}
        for source, command in commands.items()
    ]
    cache.mkdir(parents=True, exist_ok=True)
    reach, common = Reach(root, build), version_of_everything(root, build)
    marks = {source: cache / mark_of(source, command, common, reach) for source, command in commands.items()}
    due = [source for source, mark in marks.items() if not mark.exists()]
    ones = {}
    for bundle in bundles_of(due, commands):
        path, entry = as_one(bundle, commands[bundle[0]], work)
        ones[path] = bundle
        entries.append(entry)
    (work / "compile_commands.json").write_text(json.dumps(entries, indent=1), encoding="utf-8")
    found: set[str] = set()  # each once: that of a header is found by all who include it
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(judge_bundle, bundle, one, root, work) for one, bundle in ones.items()]
        for job in concurrent.futures.as_completed(jobs):
            for source, said in job.result().items():
                if not said:
                    marks[source].touch()
                    continue
                starts = [match.start() for match in FINDING.finditer(said)] or [0]
                for finding in (said[a:b] for a, b in zip(starts, [*starts[1:], len(said)])):
                    if finding not in found:
                        print(finding, end="", flush=True)
                    found.add(finding)
    for source in commands.keys() - due:
        os.utime(marks[source])
    forget_old_marks(cache)
    return len(commands), len(due), len(found)


def self_test() -> int:
    """A good file, and one for each sort of mistake that the checks are there for."""
    bad = {
        "lock.cpp": ("misc-coroutine-hostile-raii", "static task f(std::mutex& m) {\n"
                     "    const std::lock_guard guard(m);\n    co_await std::suspend_always{};\n}\n"),
        "capture.cpp": ("cppcoreguidelines-avoid-capturing-lambda-coroutines",
                        "static void g(int x) {\n    [x]() -> task {\n"
                        "        co_await std::suspend_always{};\n        (void)x;\n    }();\n}\n"),
        "moved.cpp": ("bugprone-use-after-move", "static std::size_t f(std::string a) {\n"
                      "    const std::string b = std::move(a);\n    return a.size() + b.size();\n}\n"),
    }
    good = {"good.cpp": "static task f(int x) {\n    co_await std::suspend_always{};\n    (void)x;\n}\n"}
    top = (
        "#include <coroutine>\n#include <mutex>\n#include <string>\n"
        "struct task {\n    struct promise_type {\n        task get_return_object() { return {}; }\n"
        "        std::suspend_never initial_suspend() { return {}; }\n"
        "        std::suspend_never final_suspend() noexcept { return {}; }\n"
        "        void return_void() {}\n        void unhandled_exception() {}\n    };\n};\n"
    )
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = root / "src" / "log"
        folder.mkdir(parents=True)
        shutil.copy(Path(__file__).resolve().parents[2] / ".clang-tidy", root)
        entries = []
        for file, text in [*((file, text) for file, (_, text) in bad.items()), *good.items()]:
            (folder / file).write_text(top + text, encoding="utf-8")
            command = "ccache c++ -std=c++20 -Wlogical-op -fpch-preprocess -include a.hpp -o x.o -c"
            entries.append({"file": str(folder / file), "command": f"{command} {folder / file}"})
        (root / "compile_commands.json").write_text(json.dumps(entries), encoding="utf-8")
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            tidy(root, root, root / "cache", [])
        with contextlib.redirect_stdout(io.StringIO()):
            _, again, _ = tidy(root, root, root / "cache", [])
        said = said.getvalue()
    wrong = [check for file, (check, _) in bad.items() if not re.search(rf"{file}:.*\[{check}", said)]
    wrong += [file for file in good if f"{file}:" in said]
    if again != len(bad):
        wrong.append(f"{again} files were looked at again instead of {len(bad)}")
    print(f"judged wrongly: {wrong}" if wrong else f"{len(bad)} bad samples caught")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="of these files only")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=Path)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if shutil.which(CLANG_TIDY) is None:
        print(f"skipped: there is no {CLANG_TIDY}")
        return SKIPPED
    if options.self_test:
        return self_test()
    if options.build is None:
        parser.error("--build is needed")
    only = [path.resolve() for path in options.paths]
    count, due, findings = tidy(options.root.resolve(), options.build.resolve(), CACHE, only)
    print(f"{count} files, {due} of them looked at, {findings} findings")
    return 1 if findings or not count else 0


if __name__ == "__main__":
    sys.exit(main())
