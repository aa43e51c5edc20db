// SPDX-License-Identifier: MIT
#pragma once

#include "settings/settings.hpp"
#include "settings/value_type.hpp"

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace unicoro::settings {

/// Where a value was written, as messages name it.
struct origin {
    std::string source;  ///< "command line", "UNICORO_CMD_ARGS", a file, "environment"
    std::string place;   ///< a flag, a JSON pointer, a variable
    bool in_json = false;
    bool as_default = false;  ///< it only stands for the default: a variable such as PORT
    std::string text = {};    ///< the value as it was written, if it was text

    /// "unicoro.json: /bind/1": the place of a part of the value, as far as the source has such
    /// places.
    [[nodiscard]] std::string where(std::string_view part = {}) const;
};

/// How a setting's canonical value gets into `server_settings` and back. Empty when the setting has
/// no member there.
struct member {
    void (*store)(server_settings& settings, const json& value, const origin& from) = nullptr;
    void (*fetch)(const server_settings& settings, json& value) = nullptr;

    [[nodiscard]] explicit operator bool() const noexcept { return store != nullptr; }
};

/// Canonical JSON to C++ and back; member.cpp lists the types it is made for. `from_json` trusts its
/// input: the value types made it.
template <class T>
struct conversion {
    static void from_json(const json& value, T& out);
    static void to_json(const T& in, json& value);
};

/// The member of a member of `whole`, and so on.
template <auto Member, auto... Path>
[[nodiscard]] constexpr auto& part_of(auto& whole) noexcept {
    if constexpr (sizeof...(Path) == 0) {
        return whole.*Member;
    } else {
        return part_of<Path...>(whole.*Member);
    }
}

/// The member a setting is kept in, by the way to it; its initialiser is the setting's default.
template <auto... Path>
[[nodiscard]] constexpr member stored_in() noexcept {
    using kept = std::remove_cvref_t<decltype(part_of<Path...>(std::declval<server_settings&>()))>;
    return {
        [](server_settings& settings, const json& value, const origin&) {
            conversion<kept>::from_json(value, part_of<Path...>(settings));
        },
        [](const server_settings& settings, json& value) {
            conversion<kept>::to_json(part_of<Path...>(settings), value);
        },
    };
}

}  // namespace unicoro::settings
