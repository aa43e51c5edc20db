// SPDX-License-Identifier: MIT
#pragma once

#include "http/request_head.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace unicoro::http {

/// Those of `known` content codings that Accept-Encoding allows (RFC 9110, 12.5.3), the client's favourite
/// first; among those that it likes the same, in the order of `known`. Without the field there is none.
[[nodiscard]] std::vector<std::string_view> accepted_codings(
    const request_head& head, std::span<const std::string_view> known
);

}  // namespace unicoro::http
