# SPDX-License-Identifier: MIT
"""exports.py IN OUT: what a libunicoro exports that has the C++ standard library in it: that one too. All of it
bears a version of its own, so that another standard library in the process cannot stand in for it."""

import pathlib
import sys

NODE = "UNICORO_0"

RUNTIME = """
    /* The C++ standard library, and what the compiler calls in it. */
    __cxa_*;
    __dynamic_cast;
    __gxx_personality_v0;
    extern "C++" {
      std::*;
      *?for?std::*;
      __cxxabiv1::*;
      *?for?__cxxabiv1::*;
      operator?new*;
      operator?delete*;
    };
"""


def main() -> None:
    text = pathlib.Path(sys.argv[1]).read_text()
    head, brace, rest = text.partition("\n{\n")
    exported, local, hidden = rest.partition("  local:\n")
    if not brace or not local:
        raise SystemExit(f"{sys.argv[1]} has not the form that is expected")
    made = head + f"\n{NODE} {{\n" + exported.rstrip("\n") + RUNTIME + local + hidden
    pathlib.Path(sys.argv[2]).write_text(made)


main()
