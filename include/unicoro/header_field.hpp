// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace unicoro {

/// A header field of a message (RFC 9110, 5). Names keep the sender's case; they compare without it.
struct header_field {
    std::string_view name;
    std::string_view value;
};

}  // namespace unicoro
