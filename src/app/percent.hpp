// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace unicoro::app {

enum class plus_sign { literal, space };

/// Undoes percent-encoding (RFC 3986, 2.1); a '%' without two hex digits stays as it is.
[[nodiscard]] std::string percent_decode(std::string_view text, plus_sign plus);

}  // namespace unicoro::app
