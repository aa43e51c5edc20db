# SPDX-License-Identifier: MIT
"""Text files end in a newline and have no trailing blanks, tabs or carriage returns; Python compiles,
without a warning."""

import re
import warnings

from lint import Finding, Tree, line_of, lint_main

# What a test needs broken.
NOT_COMPILED = {"tests/unit/python/unit_broken_syntax.py"}
TRAILING = re.compile(r"[ \t\f\v]+$", re.MULTILINE)


def _compile(path: str, text: str) -> Finding | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            compile(text, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as failure:
            return Finding(path, getattr(failure, "lineno", None) or 1, f"does not compile: {failure}")
        except Warning as warning:
            return Finding(path, 1, f"compiles with a warning: {warning}")
    return None


def check(tree: Tree) -> list[Finding]:
    findings = []
    for path, text in tree.items():
        if text and not text.endswith("\n"):
            findings.append(Finding(path, line_of(text, len(text)), "no newline at the end"))
        if text.endswith("\n\n"):
            findings.append(Finding(path, line_of(text, len(text) - 1), "an empty line at the end"))
        for match in TRAILING.finditer(text):
            findings.append(Finding(path, line_of(text, match.start()), "blanks at the end of the line"))
        for mark, name in (("\t", "a tab"), ("\r", "a carriage return")):
            if (at := text.find(mark)) != -1:
                findings.append(Finding(path, line_of(text, at), f"{name}; write spaces, or an escape"))
        if path.endswith(".py") and path not in NOT_COMPILED and (finding := _compile(path, text)):
            findings.append(finding)
    return findings


BAD = [
    ("src/log/a.cpp", "int x;", "no newline"),
    ("docs/a.md", "a\n\n", "an empty line"),
    ("docs/a.md", "a \nb\n", "blanks at the end"),
    ("src/log/a.cpp", "\tint x;\n", "a tab"),
    ("dev", "a\r\n", "a carriage return"),
    ("tests/a.py", "def f(:\n", "does not compile"),
    ("tests/a.py", "a\0\n", "does not compile"),
    ("tests/a.py", "assert (x, 'y')\n", "does not compile"),
    ("tests/a.py", "import re\nre.compile('\\d')\n", "does not compile"),
]
GOOD = [
    ("docs/a.md", ""),
    ("src/log/a.cpp", "\nint x;\n"),
    ("tests/a.py", "match 1:\n    case _:\n        pass\n"),
]

if __name__ == "__main__":
    lint_main(check, BAD, GOOD)
