// SPDX-License-Identifier: MIT
#pragma once

#include "settings/settings.hpp"
#include "settings/value_type.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace unicoro::settings {

/// How a setting's canonical value gets into `server_settings` and back. Empty when the setting has
/// no member there.
struct member {
    void (*store)(server_settings& settings, const json& value) = nullptr;
    void (*fetch)(const server_settings& settings, json& value) = nullptr;

    [[nodiscard]] explicit operator bool() const noexcept { return store != nullptr; }
};

/// Canonical JSON to C++ and back, one pair per type of member. `from_json` trusts its input: the
/// value types made it.
namespace convert {

using text_map = std::map<std::string, std::string>;
using text_pairs = std::vector<std::pair<std::string, std::string>>;

void from_json(const json& value, bool& out);
void from_json(const json& value, int& out);
void from_json(const json& value, unsigned& out);
void from_json(const json& value, std::uint64_t& out);
void from_json(const json& value, std::string& out);
void from_json(const json& value, std::optional<std::string>& out);
void from_json(const json& value, std::vector<std::string>& out);
void from_json(const json& value, text_map& out);
void from_json(const json& value, text_pairs& out);
void from_json(const json& value, std::vector<bind_address>& out);
void from_json(const json& value, seconds_setting& out);
void from_json(const json& value, worker_class& out);
void from_json(const json& value, log_level& out);
void from_json(const json& value, header_map& out);
void from_json(const json& value, app_interface& out);
void from_json(const json& value, lifespan_mode& out);
void from_json(const json& value, ipv6_only_mode& out);

void to_json(const bool& in, json& value);
void to_json(const int& in, json& value);
void to_json(const unsigned& in, json& value);
void to_json(const std::uint64_t& in, json& value);
void to_json(const std::string& in, json& value);
void to_json(const std::optional<std::string>& in, json& value);
void to_json(const std::vector<std::string>& in, json& value);
void to_json(const text_map& in, json& value);
void to_json(const text_pairs& in, json& value);
void to_json(const std::vector<bind_address>& in, json& value);
void to_json(const seconds_setting& in, json& value);
void to_json(const worker_class& in, json& value);
void to_json(const log_level& in, json& value);
void to_json(const header_map& in, json& value);
void to_json(const app_interface& in, json& value);
void to_json(const lifespan_mode& in, json& value);
void to_json(const ipv6_only_mode& in, json& value);

}  // namespace convert

/// The member a setting is kept in; its initialiser is the setting's default.
template <auto Member>
[[nodiscard]] constexpr member stored_in() noexcept {
    return {
        [](server_settings& settings, const json& value) { convert::from_json(value, settings.*Member); },
        [](const server_settings& settings, json& value) { convert::to_json(settings.*Member, value); },
    };
}

}  // namespace unicoro::settings
