# SPDX-License-Identifier: MIT
"""Makes C++ of the modules of the package `_unicoro`, so that programs have it within them.

    embed.py modules OUTPUT MODULE.py...        code for the Python that runs this, and text
    embed.py text OUTPUT NAME PROGRAM.py        a text for `python -c`: the constant NAME
    embed.py program OUTPUT NAME MODULE.py...   a text for `python -c` that has the modules within it and runs
                                                main() of the last one: the constant NAME
"""

import importlib.util
import marshal
import sys
from pathlib import Path

PACKAGE = "_unicoro"
FOLDER = "<unicoro>"  # as in embedded.py
NUMBERS_IN_A_LINE = 24
PROGRAM = f"""\
import sys, types
texts = {{
%s}}
first = sys.modules["{PACKAGE}.embedded"] = types.ModuleType("{PACKAGE}.embedded")
exec(compile(texts[first.__name__], "{FOLDER}/embedded.py", "exec"), vars(first))
first.install({{name: (name == "{PACKAGE}", None, text.encode()) for name, text in texts.items()}})
from {PACKAGE} import %s
%s.main()
"""


def read(paths):
    """Name and text of each."""
    for path in map(Path, paths):
        name = PACKAGE if path.stem == "__init__" else f"{PACKAGE}.{path.stem}"
        yield path.name, name, path.read_text(encoding="utf-8")


def raw(text):
    return f'R"unicoro_py({text})unicoro_py"'


def modules(paths):
    # As PyImport_GetMagicNumber() has it.
    magic = int.from_bytes(importlib.util.MAGIC_NUMBER, "little")
    codes, entries = [], []
    for at, (file, name, text) in enumerate(read(paths)):
        code = marshal.dumps(compile(text, f"{FOLDER}/{file}", "exec", dont_inherit=True))
        numbers = ",\n".join(
            ",".join(map(str, code[start : start + NUMBERS_IN_A_LINE]))
            for start in range(0, len(code), NUMBERS_IN_A_LINE)
        )
        codes.append(f"const unsigned char code_{at}[] = {{\n{numbers}\n}};\n")
        is_package = "true" if name == PACKAGE else "false"
        entries.append(f'    {{"{name}", {is_package}, code_{at}, {raw(text)}}},\n')
    return f"""// SPDX-License-Identifier: MIT
#include "python/runtime/embedded_modules.hpp"

namespace unicoro::python {{
namespace {{

{"".join(codes)}
const embedded_module all[] = {{
{"".join(entries)}}};

}}  // namespace

const std::span<const embedded_module> embedded_modules = all;
const long embedded_magic = {magic};

}}  // namespace unicoro::python
"""


def program(constant, paths):
    texts = "".join(f"    {name!r}: {text!r},\n" for _, name, text in read(paths))
    main = Path(paths[-1]).stem
    return header(constant, PROGRAM % (texts, main, main))


def text(constant, paths):
    (path,) = paths
    return header(constant, Path(path).read_text(encoding="utf-8"))


def header(constant, value):
    return f"""// SPDX-License-Identifier: MIT
#pragma once

namespace unicoro::cli {{

inline constexpr const char* {constant} = {raw(value)};

}}  // namespace unicoro::cli
"""


if __name__ == "__main__":
    kind, output, *rest = sys.argv[1:]
    made = modules(rest) if kind == "modules" else {"program": program, "text": text}[kind](rest[0], rest[1:])
    Path(output).write_text(made, encoding="utf-8")
