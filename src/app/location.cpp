// SPDX-License-Identifier: MIT
#include "app/location.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <utility>

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

}  // namespace

std::optional<std::size_t> mounted_length(
    std::string_view path, std::string_view prefix, encoded_slash slash
) noexcept {
    const auto is_slash = [slash](char byte, std::size_t length) {
        return byte == '/' && (length == 1 || slash == encoded_slash::ends_segment);
    };
    std::size_t at = 0;
    for (const char wanted : prefix) {
        if (at == path.size()) return std::nullopt;
        const auto [byte, length] = first_byte(path.substr(at));
        if (byte != wanted || (wanted == '/' && !is_slash(byte, length))) return std::nullopt;
        at += length;
    }
    if (at == path.size()) return at;
    const auto [byte, length] = first_byte(path.substr(at));
    if (!is_slash(byte, length)) return std::nullopt;
    return at;
}

locator::locator(const settings::server_settings& values) {
    const char* const mounted = std::getenv("SCRIPT_NAME");
    if (mounted != nullptr) server_ = base::without_slash(mounted);
    for (std::size_t number = 0; number < values.apps.size(); ++number) {
        places_.push_back({std::string(base::without_slash(values.apps[number].first)), number});
    }
    if (places_.empty()) places_.push_back({"", 0});
    std::size_t folder = 0;
    for (const auto* folders : {&values.files.static_folders, &values.files.static_internal}) {
        for (const auto& [prefix, path] : *folders) places_.push_back({prefix, folder++, true});
    }
    std::ranges::stable_sort(places_, std::ranges::greater{}, [](const place& each) {
        return each.prefix.size();
    });
}

std::optional<location> locator::find(const http::request_head& head) const noexcept {
    // "OPTIONS *" is for the server as a whole (RFC 9110, 9.3.7), and lies below nothing.
    const bool names_place = head.path.empty() || head.path.front() == '/';
    std::string_view server;
    std::string_view path = head.path;
    if (names_place) {
        server = head.script_name.empty() ? std::string_view(server_) : head.script_name;
        const auto taken = mounted_length(path, server);
        if (!taken) return std::nullopt;
        path.remove_prefix(*taken);
    }
    for (const place& each : places_) {
        if (each.prefix.empty()) return location{server, each.prefix, path, each.number, path, {}};
        if (!names_place) continue;
        const auto length = mounted_length(path, each.prefix);
        if (!length) continue;
        location found{server, each.prefix, path.substr(*length), each.number, path, {}};
        if (each.folder) found.folder = std::exchange(found.application, 0);
        return found;
    }
    return std::nullopt;
}

}  // namespace unicoro::app
