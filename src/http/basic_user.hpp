// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace unicoro::http {

/// The user name of Basic credentials (RFC 7617), empty when the field holds none. Only for the
/// log: the server checks no passwords.
[[nodiscard]] std::string basic_user(std::string_view authorization);

}  // namespace unicoro::http
