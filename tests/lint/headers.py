# SPDX-License-Identifier: MIT
"""Licence lines, #pragma once, and the order of #include lines: own header, own headers, Boost, other
libraries, std; each group sorted and followed by a blank line."""

import posixpath
import re

from lint import Finding, Tree, is_cpp, is_header, lint_main, strip_noise

SPDX = "SPDX-License-Identifier: MIT"
INCLUDE = re.compile(r'\s*#\s*include\s*(["<][^">]+[">])')
GROUPS = ("own", "public", "boost", "library", "std")


def _group(name: str) -> str:
    if name.startswith('"'):
        return "own"
    if name.startswith("<unicoro/"):
        return "public"
    if name.startswith("<boost/"):
        return "boost"
    return "library" if "." in name or "/" in name else "std"


def _is_own_header(path: str, name: str) -> bool:
    stem = posixpath.basename(path).removesuffix(".cpp")
    return not is_header(path) and posixpath.basename(name[1:-1]) == f"{stem}.hpp"


def _blocks(text: str) -> list[list[tuple[int, str]]]:
    """Runs of neighbouring #include lines outside #if, as (line number, name)."""
    blocks: list[list[tuple[int, str]]] = [[]]
    inside = 0
    for number, line in enumerate(strip_noise(text).split("\n"), 1):
        if re.match(r"\s*#\s*if", line):
            inside += 1
        elif re.match(r"\s*#\s*endif", line):
            inside -= 1
        match = INCLUDE.match(line)
        if match and inside == 0:
            blocks[-1].append((number, match.group(1)))
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _check_order(path: str, text: str) -> list[Finding]:
    findings = []
    blocks = _blocks(text)
    if blocks and _is_own_header(path, blocks[0][0][1]):
        if len(blocks[0]) > 1:
            findings.append(Finding(path, blocks[0][1][0], "a blank line must follow the own header"))
        blocks = blocks[1:]
    highest = 0
    for block in blocks:
        names = [name for _, name in block]
        groups = [_group(name) for name in names]
        for (line, name), group in zip(block, groups):
            if GROUPS.index(group) < highest:
                findings.append(
                    Finding(path, line, f"{name} ({group}) stands after a later group; the order is "
                                        + ", ".join(GROUPS))
                )
                break
        if len(set(groups)) > 1 and set(groups) != {"own", "public"}:
            findings.append(Finding(path, block[0][0], f"groups mixed in one block: {sorted(set(groups))}"))
        elif names != sorted(names):
            wrong = next(i for i, (a, b) in enumerate(zip(names, sorted(names))) if a != b)
            findings.append(Finding(path, block[wrong][0], f"includes not sorted at {names[wrong]}"))
        highest = max(highest, *(GROUPS.index(group) for group in groups))
    return findings


def check(tree: Tree) -> list[Finding]:
    findings = []
    for path, text in tree.items():
        first = "\n".join(text.split("\n", 2)[:2])
        if (is_cpp(path) or path.endswith(".py") or path == "dev") and text and SPDX not in first:
            findings.append(Finding(path, 1, f"the first line must be '{SPDX}' in a comment"))
        # The precompiled header is no header of anything.
        if not is_cpp(path) or path.startswith("src/pch/"):
            continue
        code = strip_noise(text)
        if is_header(path):
            if not re.search(r"^#pragma once$", text, re.MULTILINE):
                findings.append(Finding(path, 1, "a header needs #pragma once"))
            for match in re.finditer(r"^using namespace\b(?!.*literals;)", code, re.MULTILINE):
                line = code.count("\n", 0, match.start()) + 1
                findings.append(Finding(path, line, "no using namespace at file scope in a header"))
        for block in _blocks(text):
            for line, name in block:
                if "../" in name or "./" in name:
                    findings.append(Finding(path, line, f"{name}: include from src, not relatively"))
                if path.startswith("src/") and name.startswith('"') and "/" not in name:
                    findings.append(Finding(path, line, f"{name}: write the folder, as \"log/log.hpp\""))
        if path.startswith(("src/", "include/")):
            findings += _check_order(path, text)
    return findings


_TOP = "// SPDX-License-Identifier: MIT\n"
BAD = [
    ("src/log/a.cpp", "int x;\n", "SPDX"),
    ("tests/a.py", "import os\n", "SPDX"),
    ("src/log/a.hpp", _TOP + "int x;\n", "#pragma once"),
    ("src/log/a.hpp", _TOP + "#pragma once\nusing namespace std;\n", "using namespace"),
    ("src/log/a.cpp", _TOP + '#include "../os/a.hpp"\n', "not relatively"),
    ("src/log/b.cpp", _TOP + '#include "text.hpp"\n', "write the folder"),
    ("src/log/a.cpp", _TOP + '#include "log/a.hpp"\n#include "log/b.hpp"\n', "blank line"),
    ("src/log/a.cpp", _TOP + "#include <string>\n#include <array>\n", "not sorted"),
    ("src/log/a.cpp", _TOP + "#include <string>\n\n#include <unistd.h>\n", "after a later group"),
    ("src/log/a.cpp", _TOP + '#include <string>\n\n#include "log/b.hpp"\n', "after a later group"),
    ("src/log/a.cpp", _TOP + "#include <unistd.h>\n#include <string>\n", "groups mixed"),
]
GOOD = [
    ("src/log/a.hpp", _TOP + "#pragma once\n\n#include <fmt/core.h>\n\n#include <string>\n"),
    (
        "src/log/a.cpp",
        _TOP + '#include "log/a.hpp"\n\n#include "log/b.hpp"\n#include "log/c.hpp"\n\n'
        "#include <boost/system/result.hpp>\n\n#include <fmt/core.h>\n\n#include <unistd.h>\n\n"
        "#include <array>\n#include <string>\n\nint x;\n",
    ),
    ("tests/unit/log/a_test.cpp", _TOP + '#include "log/a.hpp"\n\n#include "support/doctest.hpp"\n'),
    ("tests/support/d.hpp", _TOP + "#pragma once\n#if A\n#include <b.h>\n#else\n#include <a.h>\n#endif\n"),
    ("bench/run.py", "#!/usr/bin/env python3\n# SPDX-License-Identifier: MIT\n"),
]

if __name__ == "__main__":
    lint_main(check, BAD, GOOD)
