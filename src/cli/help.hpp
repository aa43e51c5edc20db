// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace unicoro::cli {

/// The text of --help: every flag by section, in lines of at most 100 columns.
[[nodiscard]] std::string help_text();

}  // namespace unicoro::cli
