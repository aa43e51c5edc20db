// SPDX-License-Identifier: MIT
#include "cli/help.hpp"

#include "settings/commands.hpp"
#include "settings/setting.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <string_view>

namespace unicoro::cli {
namespace {

constexpr std::size_t help_column = 30;
constexpr std::size_t last_column = 100;

constexpr std::string_view usage = R"(usage: unicoro [FLAGS] APP
       unicoro COMMAND [FLAGS]

Serves APP: a Python application (MODULE, MODULE:NAME, MODULE:FACTORY(ARGUMENTS)) or a native one
(./LIBRARY.so:NAME).

Settings are read from unicoro.json (or the file that -c names), then from UNICORO_CMD_ARGS, then from the
command line; a later source wins. Flags marked with * are not available yet.
)";

/// Flags that are accepted for gunicorn's sake alone are left to the documentation.
bool has_effect(const settings::setting& row) {
    return row.status == settings::availability::now || row.status == settings::availability::not_yet;
}

std::string left_side(const settings::setting& row) {
    std::string text = row.status == settings::availability::not_yet ? "* " : "  ";
    bool first = true;
    for (const auto flag : settings::flags_of(row)) {
        if (!first) text += ", ";
        text += flag;
        first = false;
    }
    switch (row.form) {
        case settings::flag_form::value:
        case settings::flag_form::repeated: return text + " " + std::string(row.metavar);
        case settings::flag_form::optional_value: return text + " [" + std::string(row.metavar) + "]";
        case settings::flag_form::switch_on:
        case settings::flag_form::switch_off: return text;
    }
    return text;
}

std::string default_of(const settings::setting& row) {
    if (!row.default_note.empty()) return std::string(row.default_note);
    settings::json value;
    settings::default_value(row, value);
    const bool obvious = value.is_null() || value.is_boolean() || value.empty() || value == "";
    if (obvious) return {};
    if (value.is_string()) return value.get<std::string>();
    std::string list;
    for (const auto& entry : value) {
        if (!list.empty()) list += ",";
        list += entry.is_string() ? entry.get<std::string>() : entry.dump();
    }
    return list;
}

std::string right_side(const settings::setting& row) {
    std::string text = settings::help_of_flag(row);
    const std::string fallback = default_of(row);
    if (!fallback.empty()) text += " [" + fallback + "]";
    return text;
}

void write_wrapped(std::string_view text, std::string& out) {
    std::size_t column = help_column;
    bool first = true;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const auto word = text.substr(0, end);
        if (!first && column + 1 + word.size() > last_column) {
            out += "\n" + std::string(help_column, ' ');
            column = help_column;
            first = true;
        }
        if (!first) out += ' ';
        column += word.size() + (first ? 0 : 1);
        out += word;
        first = false;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    out += '\n';
}

void write_row(const settings::setting& row, std::string& out) {
    const std::string left = left_side(row);
    out += left;
    if (left.size() + 2 > help_column) {
        out += "\n" + std::string(help_column, ' ');
    } else {
        out += std::string(help_column - left.size(), ' ');
    }
    write_wrapped(right_side(row), out);
}

}  // namespace

std::string help_text() {
    std::string text{usage};
    text +=
        "\nCommands, as the first word (unicoro COMMAND --help); APP:application serves one of that name:\n";
    for (const settings::command& each : settings::commands()) {
        std::string left = "  " + std::string(each.name);
        if (!each.argument.empty()) left += " " + std::string(each.argument);
        left.resize(help_column, ' ');
        text += left + std::string(each.help) + "\n";
    }
    std::optional<settings::section> current;
    for (const settings::setting& row : settings::all_settings()) {
        if (row.flags.empty() || !has_effect(row)) continue;
        if (current != row.section) {
            current = row.section;
            text += "\n" + std::string(settings::title(row.section)) + ":\n";
        }
        write_row(row, text);
    }
    return text;
}

}  // namespace unicoro::cli
