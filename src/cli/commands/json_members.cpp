// SPDX-License-Identifier: MIT
#include "cli/commands/json_members.hpp"

#include <algorithm>
#include <cmath>

namespace unicoro::cli {

const ordered_json* member(const ordered_json& of, const char* name) {
    if (!of.is_object()) return nullptr;
    const auto found = of.find(name);
    return found == of.end() ? nullptr : &*found;
}

std::optional<double> measured(const ordered_json& of, const char* name) {
    const ordered_json* const found = member(of, name);
    if (found == nullptr || !found->is_number()) return std::nullopt;
    const auto value = found->get<double>();
    return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

double number(const ordered_json& of, const char* name) {
    return measured(of, name).value_or(0);
}

std::int64_t whole(const ordered_json& of, const char* name) {
    return static_cast<std::int64_t>(std::clamp(number(of, name), -1e15, 1e15));
}

std::string text(const ordered_json& of, const char* name) {
    const ordered_json* const found = member(of, name);
    return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_true(const ordered_json& of, const char* name) {
    const ordered_json* const found = member(of, name);
    return found != nullptr && found->is_boolean() && found->get<bool>();
}

ordered_json parsed(std::string_view json) {
    return ordered_json::parse(json, nullptr, false);
}

const ordered_json* list(const ordered_json& of, const char* name) {
    const ordered_json* const found = member(of, name);
    return found != nullptr && found->is_array() ? found : nullptr;
}

trouble foreign(const char* what) {
    return {exit_not_reached, std::string("what was answered is not the ") + what + " of a server"};
}

}  // namespace unicoro::cli
