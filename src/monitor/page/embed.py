# SPDX-License-Identifier: MIT
"""Makes C++ of the monitor's page: one text with its style and script within it, and the Content-Security-Policy that
lets those run and nothing else.

    embed.py OUTPUT index.html style.css SCRIPT.js...
"""

import base64
import hashlib
import sys
from pathlib import Path

MARK = "unicoro_page"


def source_of(text: str) -> str:
    """What a policy calls an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def policy(style: str, script: str) -> str:
    return "; ".join((
        "default-src 'none'", f"style-src {source_of(style)}", f"script-src {source_of(script)}", "connect-src 'self'",
        "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'", "trusted-types 'none'",
    ))


def main(output: str, page: str, style: str, *scripts: str) -> None:
    page_text, style_text, *script_texts = (Path(each).read_text(encoding="utf-8") for each in (page, style, *scripts))
    style_text = "\n" + style_text
    script_text = '\n"use strict";\n{\n' + "\n".join(script_texts) + "}\n"
    for place in ("@STYLE@", "@SCRIPT@"):
        if page_text.count(place) != 1:
            sys.exit(f"{page}: {place} must be there once")
    for text, end in ((style_text, "</style"), (script_text, "</script"), (script_text, "<!--")):
        if end in text:
            sys.exit(f"embed.py: {end} ends what it is in")
    text = page_text.replace("@STYLE@", style_text).replace("@SCRIPT@", script_text)
    if f"){MARK}\"" in text:
        sys.exit(f"embed.py: the page must not have ){MARK}\" in it")
    Path(output).write_text(f"""// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace unicoro::monitor {{

inline constexpr std::string_view page_text = R"{MARK}({text}){MARK}";
inline constexpr std::string_view page_policy = "{policy(style_text, script_text)}";

}}  // namespace unicoro::monitor
""", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
