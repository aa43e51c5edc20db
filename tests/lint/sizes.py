# SPDX-License-Identifier: MIT
"""Files of more than 400 lines, headers of more than 200 and functions of more than 60 are split."""

import re

from lint import Finding, Tree, is_cpp, is_header, line_of, lint_main, matching, strip_noise

FILE_LINES, HEADER_LINES, FUNCTION_LINES = 400, 200, 60
SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum|extern)\b[^;{}()]*$")
FUNCTION = re.compile(r"\)\s*(?:const|noexcept(?:\([^)]*\))?|override|final|mutable|->[^;{}]*|\s)*$")
INITIALISERS = re.compile(r"\)\s*(?:noexcept\s*)?:\s*[\w:<>]+\s*[({][^;]*$")


def _functions(code: str) -> list[tuple[int, int]]:
    """(opening, closing) offsets of the outermost function bodies."""
    found, at = [], 0
    while (at := code.find("{", at)) != -1:
        statement = code[max(code.rfind(mark, 0, at) for mark in ";{}") + 1:at]
        if SCOPE.search(statement) and "(" not in statement:
            at += 1
            continue
        end = matching(code, at)
        if FUNCTION.search(statement) or INITIALISERS.search(statement):
            found.append((at, end))
        at = end + 1
    return found


def check(tree: Tree) -> list[Finding]:
    findings = []
    for path, text in tree.items():
        if not is_cpp(path) and not path.endswith(".py"):
            continue
        lines = text.count("\n")
        limit = HEADER_LINES if is_header(path) else FILE_LINES
        if lines > limit:
            findings.append(Finding(path, limit, f"{lines} lines, {limit} at most: split it"))
        if not is_cpp(path) or not path.startswith(("src/", "include/", "bench/", "examples/")):
            continue
        code = strip_noise(text)
        for start, end in _functions(code):
            first, last = line_of(code, start), line_of(code, end)
            if last - first + 1 > FUNCTION_LINES:
                findings.append(
                    Finding(path, first, f"a function of {last - first + 1} lines, "
                                         f"{FUNCTION_LINES} at most: split it")
                )
    return findings


_LONG = "    x();\n" * 61
BAD = [
    ("src/log/a.cpp", "// x\n" * 401, "401 lines"),
    ("src/log/a.hpp", "// x\n" * 201, "201 lines"),
    ("tests/a.py", "# x\n" * 401, "401 lines"),
    ("src/log/a.cpp", "namespace a {\nvoid f() {\n" + _LONG + "}\n}\n", "a function of 63 lines"),
    ("src/log/a.cpp", "class a {\n    int f() const noexcept {\n" + _LONG + "}\n};\n", "a function"),
    ("src/log/a.cpp", "awaitable<void> a::f(int x) {\n  if (x) {\n" + _LONG + "}\n}\n", "a function"),
    ("src/log/a.cpp", "auto f() -> int {\n" + _LONG + "}\n", "a function"),
    ("src/log/a.cpp", "a::a() : b_(1) {\n" + _LONG + "}\n", "a function"),
]
GOOD = [
    ("src/log/a.cpp", "// x\n" * 400),
    ("src/log/a.hpp", "// x\n" * 200),
    ("src/log/a.cpp", "void f() {\n" + "    x();\n" * 58 + "}\n"),
    ("src/log/a.cpp", "constexpr row table[] = {\n" + "    {1, 2},\n" * 80 + "};\n"),
    ("src/log/a.cpp", "class a {\n" + "    void f();\n" * 80 + "};\n"),
]

if __name__ == "__main__":
    lint_main(check, BAD, GOOD)
