# SPDX-License-Identifier: MIT
"""Marks of unfinished work, code switched off, and paths of one machine do not enter the tree."""

import re

from lint import Finding, Tree, is_cpp, line_of, lint_main

# Written in pieces, because this file is judged as well.
MARKS = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")
OFF = re.compile(r"^\s*#\s*if\s+0\b", re.MULTILINE)
COMMENTED_CODE = re.compile(r"^\s*//(?!/)[^\n]*[;{]\s*$", re.MULTILINE)
CODE_LIKE = re.compile(r"//\s*(?:(?:if|for|while|return|auto|const|co_await)\b.*[;{]|[\w.>:-]+\(.*\);|[\w.]+ = .*;)\s*$")
HOME = re.compile(r"(?<![\w.])/(?:work|home/\w+|root)/\w")


def check(tree: Tree) -> list[Finding]:
    findings = []
    for path, text in tree.items():
        def add(offset: int, message: str) -> None:
            findings.append(Finding(path, line_of(text, offset), message))

        for match in MARKS.finditer(text):
            add(match.start(), f"'{match.group()}': finish it, or file an issue")
        for match in HOME.finditer(text):
            add(match.start(), "a path of one machine")
        if is_cpp(path):
            for match in OFF.finditer(text):
                add(match.start(), "code switched off; remove it")
            for match in COMMENTED_CODE.finditer(text):
                if CODE_LIKE.search(match.group()):
                    add(match.start(), "commented-out code; remove it")
    return findings


BAD = [
    ("src/log/a.cpp", "// TO" "DO: later\n", "finish it"),
    ("README.md", "FIX" "ME\n", "finish it"),
    ("src/log/a.cpp", "#if 0\nint x;\n#endif\n", "switched off"),
    ("src/log/a.cpp", "    // return x;\n", "commented-out"),
    ("src/log/a.cpp", "    // log(x, y);\n", "commented-out"),
    ("docs/a.md", "see /ho" "me/ada/x\n", "one machine"),
]
GOOD = [
    ("src/log/a.cpp", "// Why: the kernel wakes one of them; the others sleep on.\nint to_do;\n"),
    ("docs/a.md", "see /etc/unicoro and /var/log\n"),
]

if __name__ == "__main__":
    lint_main(check, BAD, GOOD)
