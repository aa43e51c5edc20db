// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace unicoro::app {

/// The media type a file name's extension stands for; application/octet-stream when unknown.
[[nodiscard]] std::string_view media_type(std::string_view file_name) noexcept;

}  // namespace unicoro::app
