// SPDX-License-Identifier: MIT
#pragma once

#include "settings/settings.hpp"

#include <optional>
#include <string_view>

namespace unicoro::settings {

/// The word for a value, as the settings write it.
[[nodiscard]] std::string_view to_string(worker_class value) noexcept;
[[nodiscard]] std::string_view to_string(log_level value) noexcept;
[[nodiscard]] std::string_view to_string(header_map value) noexcept;
[[nodiscard]] std::string_view to_string(app_interface value) noexcept;
[[nodiscard]] std::string_view to_string(lifespan_mode value) noexcept;
[[nodiscard]] std::string_view to_string(ipv6_only_mode value) noexcept;

/// The value that has this word; nothing for other words (aliases included).
template <class Enum>
[[nodiscard]] std::optional<Enum> from_string(std::string_view word) noexcept;

template <>
std::optional<worker_class> from_string(std::string_view word) noexcept;
template <>
std::optional<log_level> from_string(std::string_view word) noexcept;
template <>
std::optional<header_map> from_string(std::string_view word) noexcept;
template <>
std::optional<app_interface> from_string(std::string_view word) noexcept;
template <>
std::optional<lifespan_mode> from_string(std::string_view word) noexcept;
template <>
std::optional<ipv6_only_mode> from_string(std::string_view word) noexcept;

}  // namespace unicoro::settings
