// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unicoro::settings {

/// Words of a command line, or why it has none.
struct shell_words {
    std::vector<std::string> words;
    std::string problem;  ///< not empty = the text is broken
};

/// Splits as a POSIX shell does: blanks part words; '...' is literal; in "..." a backslash protects
/// ", \, $ and `; elsewhere it protects any character. Nothing is expanded.
[[nodiscard]] shell_words split_shell_words(std::string_view text);

}  // namespace unicoro::settings
