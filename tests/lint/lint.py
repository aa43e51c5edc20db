# SPDX-License-Identifier: MIT
"""What the lints share: the files of the tree, C++ without its comments and strings, the report.

A lint module has `check(tree) -> list[Finding]`, where `tree` maps paths to texts, and samples:
BAD, a list of (path, text, part of the message), which it must refuse, and GOOD, a list of
(path, text), which it must not.
"""

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FOLDERS = ("src", "include", "tests", "examples", "bench", "config", "docs", "packaging", "subprojects", ".ci")
ROOT_FILES = ("dev", "meson.build", "meson_options.txt", "README.md", "CONTRIBUTING.md")
TEXT = {".cpp", ".hpp", ".py", ".in", ".md", ".json", ".build", ".txt", ".wrap", ".conf", ".sh", ".html", ".css", ".js", ""}
CPP = {".cpp", ".hpp"}

Tree = dict[str, str]


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def read_tree(root: Path) -> Tree:
    """Every text file of ours; unpacked subprojects and corpora are not ours to judge."""
    tree: Tree = {}
    candidates = [root / name for name in ROOT_FILES]
    for folder in FOLDERS:
        candidates += sorted((root / folder).rglob("*"))
    for path in candidates:
        name = path.relative_to(root).as_posix()
        if not path.is_file() or path.suffix not in TEXT or "__pycache__" in name:
            continue
        if name.startswith("tests/corpus/"):
            continue
        if name.startswith("subprojects/") and not re.match(
            r"subprojects/([^/]+$|packagefiles/)", name
        ):
            continue
        # Bytes, because text would have its carriage returns taken out.
        tree[name] = path.read_bytes().decode("utf-8", errors="replace")
    return tree


def is_cpp(path: str) -> bool:
    return Path(path).suffix in CPP


def is_header(path: str) -> bool:
    return path.endswith(".hpp")


_NOISE = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | (?:u8|[uUL])?R"(?P<fence>[^()\\\s]{0,16})\(.*?\)(?P=fence)"
      | (?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'
      | "(?:[^"\\\n]|\\.)*"
    """,
    re.VERBOSE | re.DOTALL,
)


def _blank(match: re.Match[str]) -> str:
    text = match.group()
    if text.startswith("/"):
        return re.sub(r"[^\n]", " ", text)
    # Strings keep their quotes, so that they are still an operand.
    inner = re.sub(r"[^\n]", " ", text[1:-1])
    quote = text[-1]
    return f"{quote}{inner}{quote}"


def strip_noise(text: str) -> str:
    """C++ with comments and the insides of literals blanked; every offset stays what it was.
    #include lines keep their names."""
    lines = text.split("\n")
    kept = {i: line for i, line in enumerate(lines) if re.match(r"\s*#\s*include\b", line)}
    blanked = _NOISE.sub(_blank, text).split("\n")
    for i, line in kept.items():
        if re.match(r"\s*#\s*include\b", blanked[i]):
            blanked[i] = re.sub(r"\s*//.*", lambda m: " " * len(m.group()), line)
    return "\n".join(blanked)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def matching(text: str, opening: int) -> int:
    """Offset of the bracket that closes the one at `opening`; the end of the text if none does."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    opener, closer = text[opening], pairs[text[opening]]
    depth = 0
    for at in range(opening, len(text)):
        if text[at] == opener:
            depth += 1
        elif text[at] == closer:
            depth -= 1
            if depth == 0:
                return at
    return len(text) - 1


_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def includes(text: str) -> list[tuple[int, str, str]]:
    """(line, opening mark, name) of every #include."""
    code = strip_noise(text)
    return [(line_of(code, m.start(2)), m.group(1), m.group(2)) for m in _INCLUDE.finditer(code)]


def _self_test(check: Callable[[Tree], list[Finding]], bad: list, good: list) -> int:
    wrong = []
    for path, text, part in bad:
        found = [f.message for f in check({path: text})]
        if not any(part in message for message in found):
            wrong.append(f"not caught: {part!r} in {path}: {text!r}; found {found}")
    for path, text in good:
        found = check({path: text})
        wrong += [f"good text refused: {f}: {text!r}" for f in found]
    for problem in wrong:
        print(problem)
    print(f"{len(bad)} bad and {len(good)} good samples, {len(wrong)} judged wrongly")
    return 1 if wrong or not bad or not good else 0


def lint_main(check: Callable[[Tree], list[Finding]], bad: list, good: list) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--self-test", action="store_true", help="judge the samples instead")
    options = parser.parse_args()
    if options.self_test:
        sys.exit(_self_test(check, bad, good))
    tree = read_tree(options.root)
    findings = check(tree)
    for finding in findings:
        print(finding)
    print(f"{len(tree)} files, {len(findings)} findings")
    sys.exit(1 if findings or not tree else 0)
