// SPDX-License-Identifier: MIT
#include "settings/names.hpp"

#include <array>
#include <utility>

namespace unicoro::settings {
namespace {

template <class Enum, std::size_t Size>
using names = std::array<std::pair<Enum, std::string_view>, Size>;

constexpr names<worker_class, 4> worker_classes{{
    {worker_class::sync, "sync"},
    {worker_class::gthread, "gthread"},
    {worker_class::async, "async"},
    {worker_class::eventlet, "eventlet"},
}};

constexpr names<log_level, 5> log_levels{{
    {log_level::debug, "debug"},
    {log_level::info, "info"},
    {log_level::warning, "warning"},
    {log_level::error, "error"},
    {log_level::critical, "critical"},
}};

constexpr names<header_map, 3> header_maps{{
    {header_map::drop, "drop"},
    {header_map::refuse, "refuse"},
    {header_map::dangerous, "dangerous"},
}};

constexpr names<app_interface, 4> interfaces{{
    {app_interface::auto_detect, "auto"},
    {app_interface::wsgi, "wsgi"},
    {app_interface::asgi, "asgi"},
    {app_interface::native, "native"},
}};

constexpr names<lifespan_mode, 3> lifespan_modes{{
    {lifespan_mode::auto_detect, "auto"},
    {lifespan_mode::on, "on"},
    {lifespan_mode::off, "off"},
}};

constexpr names<ipv6_only_mode, 3> ipv6_only_modes{{
    {ipv6_only_mode::system, "auto"},
    {ipv6_only_mode::on, "on"},
    {ipv6_only_mode::off, "off"},
}};

template <class Enum, std::size_t Size>
constexpr std::string_view word_of(const names<Enum, Size>& table, Enum value) noexcept {
    for (const auto& [known, word] : table) {
        if (known == value) return word;
    }
    return {};
}

template <class Enum, std::size_t Size>
constexpr std::optional<Enum> value_of(const names<Enum, Size>& table, std::string_view wanted) noexcept {
    for (const auto& [value, word] : table) {
        if (word == wanted) return value;
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(worker_class value) noexcept {
    return word_of(worker_classes, value);
}
std::string_view to_string(log_level value) noexcept {
    return word_of(log_levels, value);
}
std::string_view to_string(header_map value) noexcept {
    return word_of(header_maps, value);
}
std::string_view to_string(app_interface value) noexcept {
    return word_of(interfaces, value);
}
std::string_view to_string(lifespan_mode value) noexcept {
    return word_of(lifespan_modes, value);
}
std::string_view to_string(ipv6_only_mode value) noexcept {
    return word_of(ipv6_only_modes, value);
}

template <>
std::optional<worker_class> from_string(std::string_view word) noexcept {
    return value_of(worker_classes, word);
}

template <>
std::optional<log_level> from_string(std::string_view word) noexcept {
    return value_of(log_levels, word);
}

template <>
std::optional<header_map> from_string(std::string_view word) noexcept {
    return value_of(header_maps, word);
}

template <>
std::optional<app_interface> from_string(std::string_view word) noexcept {
    return value_of(interfaces, word);
}

template <>
std::optional<lifespan_mode> from_string(std::string_view word) noexcept {
    return value_of(lifespan_modes, word);
}

template <>
std::optional<ipv6_only_mode> from_string(std::string_view word) noexcept {
    return value_of(ipv6_only_modes, word);
}

bool shapes_logging(const server_settings& settings) noexcept {
    return settings.logger_class != default_logger_class || settings.logconfig || settings.logconfig_json ||
           settings.logconfig_dict != "{}";
}

std::string describe_applications(const server_settings& settings) {
    if (settings.apps.empty()) return settings.app;
    std::string text;
    for (auto each = settings.apps.rbegin(); each != settings.apps.rend(); ++each) {
        text += (text.empty() ? "" : ", ") + each->first + ": " + each->second;
    }
    return text;
}

}  // namespace unicoro::settings
