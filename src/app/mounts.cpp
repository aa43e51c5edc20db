// SPDX-License-Identifier: MIT
#include "app/mounts.hpp"

#include <cstdlib>

namespace unicoro::app {
namespace {

int hex_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    const char lower = static_cast<char>(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The byte at the beginning of `path`, decoded, and how many bytes it was written in.
std::pair<char, std::size_t> first_byte(std::string_view path) noexcept {
    if (path.front() != '%' || path.size() < 3) return {path.front(), 1};
    const int high = hex_value(path[1]);
    const int low = hex_value(path[2]);
    if (high < 0 || low < 0) return {'%', 1};
    return {static_cast<char>(high * 16 + low), 3};
}

std::string_view without_slash(std::string_view path) noexcept {
    while (!path.empty() && path.back() == '/') path.remove_suffix(1);
    return path;
}

}  // namespace

std::string_view server_mount(const http::request_head& head) noexcept {
    static const char* const of_process = std::getenv("SCRIPT_NAME");
    std::string_view mount = without_slash(head.script_name);
    if (mount.empty() && of_process != nullptr) mount = without_slash(of_process);
    const bool under = head.path.starts_with(mount) &&
                       (head.path.size() == mount.size() || head.path[mount.size()] == '/');
    return under ? mount : std::string_view();
}

std::optional<std::size_t> mounted_length(std::string_view path, std::string_view prefix) noexcept {
    std::size_t at = 0;
    for (const char wanted : prefix) {
        if (at == path.size()) return std::nullopt;
        const auto [byte, length] = first_byte(path.substr(at));
        // An encoded slash is a part of a segment, never the end of one.
        if (byte != wanted || (wanted == '/' && length > 1)) return std::nullopt;
        at += length;
    }
    if (at < path.size() && path[at] != '/') return std::nullopt;
    return at;
}

mount_table::mount_table(const settings::server_settings& values) {
    for (std::size_t number = 0; number < values.apps.size(); ++number) {
        places_.push_back({std::string(without_slash(values.apps[number].first)), number});
    }
}

mount_table::found mount_table::find(const http::request_head& head) const noexcept {
    const std::string_view path = head.path.substr(server_mount(head).size());
    for (const place& each : places_) {
        if (each.prefix.empty()) return {&each, 0};
        if (const auto length = mounted_length(path, each.prefix)) return {&each, *length};
    }
    return {};
}

}  // namespace unicoro::app
