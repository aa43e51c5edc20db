// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "settings/json_document.hpp"
#include "settings/key_problem.hpp"
#include "settings/layer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

namespace unicoro::settings {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> contents(const fs::path& file, std::string& problem) {
    std::error_code error;
    if (fs::is_directory(file, error)) {
        problem = "is a folder, not a file";
        return std::nullopt;
    }
    errno = 0;
    std::ifstream stream(file, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (!stream.is_open() || stream.bad()) {
        problem = std::string("cannot be read: ") + std::strerror(errno == 0 ? EIO : errno);
        return std::nullopt;
    }
    return text;
}

bool is_key(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-' || c == '.';
    });
}

/// The first line that says something in a format whose comments begin with # or ;.
std::string_view first_line(std::string_view text) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = base::trim(text.substr(0, end));
        if (!line.empty() && line.front() != '#' && line.front() != ';') return line;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
}

/// What a file that is no JSON is written in, by its name or its text; empty = it is meant to be JSON.
std::string_view other_format(std::string_view name, std::string_view text) {
    if (name.ends_with(".yaml") || name.ends_with(".yml")) return "YAML";
    if (name.ends_with(".toml")) return "TOML";
    if (name.ends_with(".ini") || name.ends_with(".cfg")) return "an INI file";
    const std::string_view line = first_line(text);
    if (line == "---") return "YAML";
    if (line.size() > 2 && line.starts_with('[') && line.ends_with(']') &&
        is_key(line.substr(1, line.size() - 2))) {
        return "an INI file, or TOML";
    }
    const auto mark = std::min(line.find_first_of("=:"), line.size());
    if (mark == line.size() || !is_key(base::trim(line.substr(0, mark)))) return {};
    return line[mark] == ':' ? "YAML" : "TOML, or Python in a file that is not named *.py";
}

std::string pointer_to(const std::string& key) {
    return json::json_pointer().operator/=(key).to_string();
}

void take_member(const std::string& name, const std::string& key, const json& value, layer& result) {
    const std::string pointer = pointer_to(key);
    std::string problem = key_problem(key);
    if (!problem.empty()) {
        if (is_hook(key)) {
            problem =
                R"(unknown setting; a hook is written as "hooks": {")" + key + R"(": "MODULE:FUNCTION"})";
        }
        result.errors.push_back(name + ": " + pointer + ": " + problem);
        return;
    }
    const setting* const row = find_setting(key);
    for (const assignment& other : result.values) {
        if (other.row == row) {
            result.errors.push_back(
                name + ": " + pointer + ": means the same as " + other.from.place + "; keep one"
            );
            return;
        }
    }
    result.values.push_back({row, value, {.source = name, .place = pointer, .in_json = true}});
}

}  // namespace

layer read_settings_file(const fs::path& file, const std::string& name) {
    layer result;
    std::string problem;
    const auto text = contents(file, problem);
    if (!text) {
        result.errors.push_back(name + ": " + problem);
        return result;
    }
    json document;
    std::vector<std::string> errors;
    const bool complete = parse_json(*text, document, errors);
    if (const auto other = complete ? std::string_view() : other_format(name, *text); !other.empty()) {
        result.errors.push_back(
            name + ": is " + std::string(other) + "; settings are written in JSON, such as " +
            R"({"bind": "127.0.0.1:8000", "workers": 2})" + ", or in gunicorn's Python file, *.py"
        );
        return result;
    }
    for (const std::string& error : errors) result.errors.push_back(name + ": " + error);
    if (!complete) return result;
    if (!document.is_object()) {
        result.errors.push_back(name + ": must hold one object, { ... }");
        return result;
    }
    for (const auto& [key, value] : document.items()) {
        if (key != "$schema") take_member(name, key, value, result);
    }
    return result;
}

}  // namespace unicoro::settings
