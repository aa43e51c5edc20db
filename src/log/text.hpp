// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace unicoro::log {

/// How text is put into a line.
enum class text_form {
    message,   ///< newline and tab stay
    one_line,  ///< backslash doubled, every control byte escaped
    quoted,    ///< as one_line, and `"` becomes `\"`
};

/// Appends `text`. In every form control bytes (C0, DEL, C1 in UTF-8) and bytes that are not UTF-8
/// become `\xHH`.
void append_text(std::string& line, std::string_view text, text_form form);

/// Appends `text` as a JSON string with its quotes: valid JSON and valid UTF-8 whatever the bytes
/// are; each byte that is not UTF-8 becomes U+FFFD.
void append_json_string(std::string& line, std::string_view text);

}  // namespace unicoro::log
