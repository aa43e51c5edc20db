// SPDX-License-Identifier: MIT
#include "settings/command_completion.hpp"

#include "settings/commands.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace unicoro::settings {
namespace {

std::vector<std::string_view> parts(std::string_view text, char separator) {
    std::vector<std::string_view> found;
    while (!text.empty()) {
        const auto end = std::min(text.find(separator), text.size());
        found.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return found;
}

std::string with_blank(std::string text) {
    return text.empty() ? text : text + " ";
}

std::string replaced(std::string_view text, char what, std::string_view by) {
    std::string made;
    for (const char each : text) made += each == what ? std::string(by) : std::string(1, each);
    return made;
}

/// Between single quotes.
std::string in_fish(std::string_view text) {
    return replaced(text, '\'', "\\'");
}

bool is_file(const command_flag& row) {
    return row.metavar == "FILE";
}

std::string joined_flags(const command_flag& row, std::string_view between) {
    return replaced(row.flags, ',', between);
}

std::string zsh_argument(const command_flag& row) {
    const auto flags = parts(row.flags, ',');
    std::string names;
    for (const std::string_view flag : flags) {
        names += (names.empty() ? "" : ",") + std::string(flag);
        if (!row.metavar.empty()) names += flag.starts_with("--") ? "=" : "+";
    }
    std::string text = flags.size() > 1 ? "'(" + joined_flags(row, " ") + ")'{" + names + "}" : names;
    const std::string help = replaced(replaced(row.help, '[', "\\["), ']', "\\]");
    text += "'[" + replaced(help, '\'', "'\\''") + "]";
    if (!row.metavar.empty()) {
        const std::string words = row.words.empty() ? " " : "(" + std::string(row.words) + ")";
        text += ":" + std::string(row.metavar) + ":" + (is_file(row) ? "_files" : words);
    }
    return text + "'";
}

}  // namespace

std::string names_of_commands() {
    std::string names;
    for (const command& each : commands()) names = with_blank(names) + std::string(each.name);
    return names;
}

std::string bash_words_of_commands() {
    std::string text;
    for (const command& each : commands()) {
        std::string words{each.words};
        for (const command_flag& flag : command_flags()) {
            if (!has_flag(each, flag)) continue;
            words = with_blank(words) + std::string(flag.flags.substr(flag.flags.find("--")));
        }
        text += "        " + std::string(each.name) + ") words='" + words + "' ;;\n";
    }
    return text;
}

std::string bash_values_of_commands() {
    std::string files;
    std::string others;
    std::string text;
    for (const command_flag& each : command_flags()) {
        if (each.metavar.empty()) continue;
        const std::string flags = joined_flags(each, " | ");
        if (!each.words.empty()) {
            text += "            " + flags + ") words='" + std::string(each.words) + "' ;;\n";
            continue;
        }
        std::string& list = is_file(each) ? files : others;
        list += (list.empty() ? "" : " | ") + flags;
    }
    return text + "            " + files + ") return ;;\n            " + others + ") words= ;;\n";
}

std::string zsh_commands() {
    std::string text;
    for (const command& each : commands()) {
        text += "            " + std::string(each.name) + ")\n                _arguments -S \\\n";
        for (const command_flag& flag : command_flags()) {
            if (has_flag(each, flag)) text += "                    " + zsh_argument(flag) + " \\\n";
        }
        const std::string words{each.words};
        text += words.empty() ? "                    && return\n"
                              : "                    '1:number:(" + words + ")' && return\n";
        text += "                return 1\n                ;;\n";
    }
    return text;
}

std::string fish_commands() {
    std::string text;
    for (const command& each : commands()) {
        text += "complete -c unicoro -n __unicoro_begins -a " + std::string(each.name) + " -d '" +
                in_fish(each.help) + "'\n";
        if (each.words.empty()) continue;
        text += "complete -c unicoro -n '__unicoro_command " + std::string(each.name) + "' -a '" +
                std::string(each.words) + "'\n";
    }
    for (const command_flag& each : command_flags()) {
        const std::string of = each.of.empty() ? names_of_commands() : std::string(each.of);
        text += "complete -c unicoro -n '__unicoro_command " + of + "'";
        for (const std::string_view flag : parts(each.flags, ',')) {
            const bool is_long = flag.starts_with("--");
            text += (is_long ? " -l " : " -s ") + std::string(flag.substr(is_long ? 2 : 1));
        }
        if (is_file(each)) {
            text += " -r -F";
        } else if (!each.words.empty()) {
            text += " -x -a '" + std::string(each.words) + "'";
        } else if (!each.metavar.empty()) {
            text += " -x";
        }
        text += " -d '" + in_fish(each.help) + "'\n";
    }
    return text;
}

}  // namespace unicoro::settings
