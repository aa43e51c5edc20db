// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "settings/print.hpp"
#include "settings/setting.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace unicoro::settings {
namespace {

std::string quoted(const std::string& text) {
    const bool has_single = text.find('\'') != std::string::npos;
    const char quote = has_single && text.find('"') == std::string::npos ? '"' : '\'';
    std::string result{quote};
    for (const char c : text) {
        if (c == quote || c == '\\') result += '\\';
        result += c;
    }
    return base::printable(result + quote, std::string::npos);
}

std::string python_form(const json& value);

std::string joined(const json& value, char open, char close) {
    std::string result{open};
    for (auto each = value.begin(); each != value.end(); ++each) {
        if (each != value.begin()) result += ", ";
        if (value.is_object()) result += quoted(each.key()) + ": ";
        result += python_form(*each);
    }
    return result + close;
}

/// Python's repr() of the value.
std::string python_form(const json& value) {
    switch (value.type()) {
        case json::value_t::null: return "None";
        case json::value_t::boolean: return value.get<bool>() ? "True" : "False";
        case json::value_t::string: return quoted(value.get_ref<const std::string&>());
        case json::value_t::array: return joined(value, '[', ']');
        case json::value_t::object: return joined(value, '{', '}');
        default: return value.dump();
    }
}

json value_of(const setting& row, const server_settings& settings) {
    json value;
    if (row.kept) {
        row.kept.fetch(settings, value);
    } else {
        default_value(row, value);
    }
    return value;
}

/// As `str.format` prints it: text without quotes.
std::string shown(const setting& row, const server_settings& settings) {
    const json value = value_of(row, settings);
    if (row.secret && !value.is_null()) return "(not shown)";
    if (value.is_string()) {
        return base::printable(value.get_ref<const std::string&>(), std::string::npos);
    }
    return python_form(value);
}

}  // namespace

std::string print_json(const server_settings& settings) {
    json values = json::object();
    for (const setting& row : all_settings()) {
        if (row.scope == scope::everywhere) values[std::string(row.name)] = value_of(row, settings);
    }
    return values.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string print_config(const server_settings& settings) {
    std::map<std::string_view, std::string> lines;
    for (const setting& row : all_settings()) {
        if (row.scope == scope::everywhere) lines[row.name] = shown(row, settings);
    }
    lines["config"] = settings.config_file.value_or("None");
    std::size_t width = 0;
    for (const auto& [name, text] : lines) width = std::max(width, name.size());
    std::string result;
    for (const auto& [name, text] : lines) {
        result += std::string(name) + std::string(width - name.size(), ' ') + " = " + text + "\n";
    }
    return result;
}

}  // namespace unicoro::settings
