// SPDX-License-Identifier: MIT
#include "settings/setting.hpp"

#include "base/text.hpp"
#include "settings/tables.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace unicoro::settings {
namespace {

std::vector<setting> joined_tables() {
    std::vector<setting> rows;
    for (tables::part part : {
             tables::application(), tables::configuration(), tables::sockets(),   tables::workers(),
             tables::timeouts(),    tables::limits(),        tables::admission(), tables::http(),
             tables::site_files(),  tables::compression(),   tables::proxies(),   tables::tls(),
             tables::http2(),       tables::asgi(),          tables::process(),   tables::logging(),
             tables::statsd(),      tables::monitoring(),    tables::hooks(),
         }) {
        for (setting& row : part.rows) {
            row.section = part.where;
            rows.push_back(std::move(row));
        }
    }
    for (setting& row : tables::unavailable()) rows.push_back(std::move(row));
    std::ranges::stable_sort(rows, {}, &setting::section);
    return rows;
}

/// A flag without its dashes, as people write it for a key.
std::string as_key(std::string_view flag) {
    std::string key = base::to_lower(flag.substr(std::min(flag.find_first_not_of('-'), flag.size())));
    std::replace(key.begin(), key.end(), '-', '_');
    return key;
}

}  // namespace

tables::part tables::join(section where, std::initializer_list<std::vector<setting>> groups) {
    part result{where, {}};
    for (const auto& rows : groups) {
        result.rows.insert(result.rows.end(), rows.begin(), rows.end());
    }
    return result;
}

std::string_view title(section which) noexcept {
    switch (which) {
        case section::application: return "Application";
        case section::configuration: return "Configuration";
        case section::sockets: return "Server sockets";
        case section::workers: return "Workers";
        case section::timeouts: return "Timeouts of connections and requests";
        case section::limits: return "Request limits";
        case section::admission: return "Admission of requests";
        case section::http: return "HTTP";
        case section::files: return "Files";
        case section::compression: return "Compression";
        case section::proxies: return "Behind a proxy";
        case section::tls: return "TLS";
        case section::http2: return "HTTP/2";
        case section::asgi: return "ASGI";
        case section::process: return "Process";
        case section::logging: return "Logging";
        case section::monitoring: return "Health and monitoring";
        case section::metrics: return "Metrics";
        case section::hooks: return "Server hooks";
        case section::control: return "Control socket and helper processes";
    }
    return {};
}

std::span<const setting> all_settings() {
    static const std::vector<setting> rows = joined_tables();
    return rows;
}

void default_value(const setting& row, json& value) {
    if (row.kept) {
        row.kept.fetch(server_settings{}, value);
    } else {
        value = json::parse(row.initial, nullptr, false);
    }
}

const setting* find_setting(std::string_view key) {
    for (const setting& row : all_settings()) {
        if (row.name == key || (!row.other_name.empty() && row.other_name == key)) return &row;
    }
    return nullptr;
}

const setting* find_flag(std::string_view flag) {
    for (const setting& row : all_settings()) {
        const auto flags = flags_of(row);
        if (std::find(flags.begin(), flags.end(), flag) != flags.end()) return &row;
    }
    return nullptr;
}

std::vector<std::string_view> flags_of(const setting& row) {
    std::vector<std::string_view> flags;
    std::string_view rest = row.flags;
    while (!rest.empty()) {
        const auto comma = std::min(rest.find(','), rest.size());
        flags.push_back(rest.substr(0, comma));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return flags;
}

std::string help_of_flag(const setting& row) {
    std::string text{row.help};
    if (row.form != flag_form::switch_off) return text;
    return "Do not " + base::to_lower(text.substr(0, 1)) + text.substr(1);
}

std::string_view spoken_name(const setting& row) {
    for (const auto flag : flags_of(row)) {
        if (flag.starts_with("--")) return flag;
    }
    return row.name;
}

std::optional<std::string_view> nearest_key(std::string_view unknown) {
    std::vector<std::string_view> keys;
    const std::string plain = as_key(unknown);
    for (const setting& row : all_settings()) {
        if (row.scope == scope::command_line) continue;
        // "access-logfile", "log_level": the flag's word instead of the key.
        for (const auto flag : flags_of(row)) {
            if (as_key(flag) == plain) return row.name;
        }
        keys.push_back(row.name);
    }
    return base::nearest(unknown, keys);
}

std::optional<std::string_view> nearest_flag(std::string_view unknown) {
    std::vector<std::string_view> flags;
    for (const setting& row : all_settings()) {
        for (const auto flag : flags_of(row)) {
            if (flag.starts_with("--")) flags.push_back(flag);
        }
        // The key's word instead of the flag: "--accesslog", "--loglevel".
        if (!row.flags.empty() && as_key(unknown) == row.name) return spoken_name(row);
    }
    if (const auto near = base::nearest(unknown, flags)) return near;
    // A beginning that only one flag has: argparse would have completed it.
    std::optional<std::string_view> only;
    for (const auto flag : flags) {
        if (unknown.size() < 4 || !flag.starts_with(unknown)) continue;
        if (only) return std::nullopt;
        only = flag;
    }
    return only;
}

}  // namespace unicoro::settings
