# SPDX-License-Identifier: MIT
"""Compiles the Python half of the plugin, so that no worker has to: python compile_bootstrap.py OUTPUT PART..."""

import importlib.util
import marshal
import sys

NUMBERS_IN_A_LINE = 24

output, *parts = sys.argv[1:]
texts = []
for part in parts:
    with open(part, encoding="utf-8") as file:
        texts.append(file.read())
code = marshal.dumps(compile("\n\n".join(texts), "<unicoro bootstrap.py>", "exec", dont_inherit=True))
numbers = ",\n".join(
    ",".join(map(str, code[at : at + NUMBERS_IN_A_LINE])) for at in range(0, len(code), NUMBERS_IN_A_LINE)
)
# As PyImport_GetMagicNumber() has it.
magic = int.from_bytes(importlib.util.MAGIC_NUMBER, "little")
with open(output, "w", encoding="utf-8") as file:
    file.write(f"""// SPDX-License-Identifier: MIT
#include "python/runtime/bootstrap_code.hpp"

namespace unicoro::python {{

const long bootstrap_magic = {magic};
const std::size_t bootstrap_size = {len(code)};
const unsigned char bootstrap_code[] = {{
{numbers}
}};

}}  // namespace unicoro::python
""")
