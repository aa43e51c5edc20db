// SPDX-License-Identifier: MIT
#include "settings/json_document.hpp"
#include "settings/layer.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
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

std::string pointer_to(const std::string& key) {
    return json::json_pointer().operator/=(key).to_string();
}

void take_member(
    const std::string& name, const std::string& key, const json& value, layer& result
) {
    const std::string pointer = pointer_to(key);
    const setting* row = find_setting(key);
    if (row == nullptr) {
        std::string message = name + ": " + pointer + ": unknown setting";
        if (is_hook(key)) {
            message += "; a hook is written as \"hooks\": {\"" + key + "\": \"MODULE:FUNCTION\"}";
        } else if (const auto meant = nearest_key(key)) {
            message += "; did you mean \"" + std::string(*meant) + "\"?";
        } else {
            message += " (--print-schema lists all)";
        }
        result.errors.push_back(std::move(message));
        return;
    }
    if (row->scope == scope::command_line) {
        result.errors.push_back(
            name + ": " + pointer + ": can only be given on the command line, as " +
            std::string(spoken_name(*row))
        );
        return;
    }
    for (const assignment& other : result.values) {
        if (other.row == row) {
            result.errors.push_back(
                name + ": " + pointer + ": means the same as " + other.from.place + "; keep one"
            );
            return;
        }
    }
    result.values.push_back({row, value, {name, pointer, true}});
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
