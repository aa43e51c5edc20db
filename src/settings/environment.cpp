// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "settings/layer.hpp"

namespace unicoro::settings {
namespace {

void take(const char* variable, const char* name, json value, layer& result) {
    const setting* row = find_setting(name);
    result.values.push_back(
        {row, std::move(value), {.source = "environment", .place = variable, .as_default = true}}
    );
}

}  // namespace

layer read_environment(const environment_reader& environment) {
    layer result;
    const auto given = [&](const char* variable) {
        // An empty variable is how a container file says "not set".
        const auto text = environment(variable);
        return text && !base::trim(*text).empty() ? text : std::nullopt;
    };
    if (const auto port = given("PORT")) {
        take("PORT", "bind", "0.0.0.0:" + std::string(base::trim(*port)), result);
    }
    if (const auto count = given("WEB_CONCURRENCY")) {
        take("WEB_CONCURRENCY", "workers", *count, result);
    }
    if (const auto list = given("FORWARDED_ALLOW_IPS")) {
        take("FORWARDED_ALLOW_IPS", "forwarded_allow_ips", *list, result);
    }
    if (const auto word = given("SENDFILE")) {
        const std::string lower = base::to_lower(base::trim(*word));
        const bool on = lower == "y" || lower == "1" || lower == "yes" || lower == "true";
        take("SENDFILE", "sendfile", on, result);
    }
    if (const auto token = given("UNICORO_ADMIN_TOKEN")) {
        take("UNICORO_ADMIN_TOKEN", "admin_token", std::string(base::trim(*token)), result);
    }
    return result;
}

}  // namespace unicoro::settings
