// SPDX-License-Identifier: MIT
#include "settings/command_completion.hpp"
#include "settings/print.hpp"
#include "settings/setting.hpp"

#include <nlohmann/json.hpp>

#include <string_view>
#include <vector>

namespace unicoro::settings {
namespace {

/// Flags without an effect are not worth a proposal.
bool is_offered(const setting& row) {
    return !row.flags.empty() && row.status == availability::now;
}

bool takes_value(const setting& row) {
    return row.form == flag_form::value || row.form == flag_form::repeated;
}

bool is_long(std::string_view flag) {
    return flag.starts_with("--");
}

std::string joined(const std::vector<std::string_view>& words, std::string_view between) {
    std::string text;
    for (const auto word : words) text += (text.empty() ? "" : std::string(between)) + std::string(word);
    return text;
}

/// With a backslash in front of each of the `special` characters.
std::string escaped(std::string_view text, std::string_view special) {
    std::string result;
    for (const char c : text) {
        if (special.find(c) != special.npos) result += '\\';
        result += c;
    }
    return result;
}

/// What a value is completed with, for what its metavar names; each shell has its own words for it.
struct value_words {
    std::string_view path;
    std::string_view folder;
    std::string_view user;
    std::string_view group;
    std::string_view nothing;
};

std::string_view by_metavar(const setting& row, const value_words& say) {
    if (row.metavar == "FILE" || row.metavar == "PATH") return say.path;
    if (row.metavar == "DIR" || row.metavar == "DIRS") return say.folder;
    if (row.metavar == "USER") return say.user;
    if (row.metavar == "GROUP") return say.group;
    return say.nothing;
}

// --- bash ---------------------------------------------------------------------------------------

constexpr std::string_view bash_head =
    R"(# bash completion for unicoro(1), written by: unicoro --print-completion bash

_unicoro() {
    local cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]} kind=flag words module
    # "--flag=value" comes as three words.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $flag == = ]]; then
        flag=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()

    case ${COMP_WORDS[1]} in
)";

constexpr std::string_view bash_behind_commands = R"(    esac
    if [[ -n $words && $COMP_CWORD -gt 1 ]]; then
        case $flag in
)";

constexpr std::string_view bash_behind_values = R"(        esac
        compopt +o default
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        return
    fi

    case $flag in
)";

constexpr std::string_view bash_middle = R"(    esac

    case $kind in
        # Readline itself completes files: it knows about quotes and "~".
        path) return ;;
        folder)
            compopt +o default -o dirnames
            return
            ;;
    esac
    if [[ $kind == flag && $cur != -* ]]; then
        # The application: a library, or a module of this folder.
        compopt -o nospace
        for module in "$cur"*.py; do
            [[ ! -f $module ]] || COMPREPLY+=("${module%.py}:")
        done
        [[ $COMP_CWORD -gt 1 ]] ||
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -S ' ' -W '@COMMANDS@' -- "$cur")
        [[ ${#COMPREPLY[@]} -eq 0 ]] || compopt +o default
        return
    fi
    compopt +o default
    case $kind in
        words) ;;
        user | group) mapfile -t COMPREPLY < <(compgen -A "$kind" -- "$cur") && return ;;
        value) return ;;
        flag) words=')";

constexpr std::string_view bash_tail = R"(' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -o default -F _unicoro unicoro
)";

constexpr value_words bash_kinds{"path", "folder", "user", "group", "value"};

std::string bash_case(const setting& row) {
    const auto words = row.type->words();
    if (!words.empty()) return "kind=words words='" + joined(words, " ") + "'";
    return "kind=" + std::string(by_metavar(row, bash_kinds));
}

/// `text` with the names of all commands where it says @COMMANDS@.
std::string with_commands(std::string_view text) {
    constexpr std::string_view mark = "@COMMANDS@";
    std::string made{text};
    for (auto at = made.find(mark); at != made.npos; at = made.find(mark, at)) {
        made.replace(at, mark.size(), names_of_commands());
    }
    return made;
}

std::string bash_completion() {
    std::string script{bash_head};
    script += bash_words_of_commands();
    script += bash_behind_commands;
    script += bash_values_of_commands();
    script += bash_behind_values;
    std::string every_flag;
    for (const setting& row : all_settings()) {
        if (!is_offered(row)) continue;
        const auto flags = flags_of(row);
        for (const auto flag : flags) {
            if (is_long(flag)) every_flag += (every_flag.empty() ? "" : " ") + std::string(flag);
        }
        if (takes_value(row)) script += "        " + joined(flags, " | ") + ") " + bash_case(row) + " ;;\n";
    }
    return script + with_commands(bash_middle) + every_flag + std::string(bash_tail);
}

// --- zsh ----------------------------------------------------------------------------------------

constexpr std::string_view zsh_head = R"zsh(#compdef unicoro
# zsh completion for unicoro(1), written by: unicoro --print-completion zsh

_unicoro_application() {
    local -a modules=(*.py(N:r))
    modules=(${^modules}:)
    local -a commands
    (( CURRENT > 2 )) || commands=(@COMMANDS@)
    _alternative \
        'modules:module:compadd -S "" -a modules' \
        'libraries:library:_path_files -g "*.so(-.) *(-/)"' \
        'commands:command:compadd -a commands'
}

_unicoro_command() {
    words=("${(@)words[2,-1]}")
    (( CURRENT-- ))
    case $words[1] in
)zsh";

constexpr std::string_view zsh_behind_commands = R"zsh(    esac
}

_unicoro() {
    if (( CURRENT > 2 )) && [[ " @COMMANDS@ " == *" $words[2] "* ]]; then
        _unicoro_command
        return
    fi
    _arguments -S \
)zsh";

constexpr std::string_view zsh_tail = R"(        '1:application:_unicoro_application'
}

# Autoloaded by compinit, or read by source.
if [[ $funcstack[1] == _unicoro ]]; then
    _unicoro "$@"
else
    compdef _unicoro unicoro
fi
)";

constexpr value_words zsh_actions{"_files", "_files -/", "_users", "_groups", " "};

std::string in_single_quotes(std::string_view text) {
    std::string result = "'";
    for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

std::string zsh_value(const setting& row) {
    const auto words = row.type->words();
    const std::string action =
        words.empty() ? std::string(by_metavar(row, zsh_actions)) : "(" + joined(words, " ") + ")";
    return ":" + escaped(row.metavar, ":\\") + ":" + action;
}

/// One argument of _arguments: '(-w --workers)'{-w+,--workers=}'[what it does]:N|auto:(auto)'.
std::string zsh_argument(const setting& row) {
    const auto flags = flags_of(row);
    std::string names;
    for (const auto flag : flags) {
        if (!names.empty()) names += ',';
        names += flag;
        if (takes_value(row)) names += is_long(flag) ? '=' : '+';
    }
    if (flags.size() > 1) names = "{" + names + "}";
    std::string what = "[" + escaped(help_of_flag(row), "[]\\") + "]";
    if (takes_value(row)) what += zsh_value(row);
    const std::string before = row.form == flag_form::repeated ? "'*'"
                               : flags.size() > 1              ? "'(" + joined(flags, " ") + ")'"
                                                               : "";
    return before + names + in_single_quotes(what);
}

std::string zsh_completion() {
    std::string script = with_commands(zsh_head) + zsh_commands() + with_commands(zsh_behind_commands);
    for (const setting& row : all_settings()) {
        if (is_offered(row)) script += "        " + zsh_argument(row) + " \\\n";
    }
    return script + std::string(zsh_tail);
}

// --- fish ---------------------------------------------------------------------------------------

constexpr std::string_view fish_head =
    R"(# fish completion for unicoro(1), written by: unicoro --print-completion fish

function __unicoro_applications
    set -l modules *.py
    string replace -r '\.py$' ':' -- $modules
    string match -r '^[^\t]*(?:/|\.so)(?=\t|$)' -- (__fish_complete_path (commandline -ct))
end

function __unicoro_begins
    test (count (commandline -opc)) -eq 1
end

function __unicoro_command
    set -l words (commandline -opc)
    set -q words[2]; and contains -- $words[2] $argv
end

function __unicoro_serves
    not __unicoro_command @COMMANDS@
end

complete -c unicoro -f
complete -c unicoro -n __unicoro_serves -a '(__unicoro_applications)'
)";

constexpr value_words fish_options{
    " -r -F",
    " -x -a '(__fish_complete_directories)'",
    " -x -a '(__fish_complete_users)'",
    " -x -a '(__fish_complete_groups)'",
    " -x",
};

std::string fish_line(const setting& row) {
    std::string line = "complete -c unicoro -n __unicoro_serves";
    for (const auto flag : flags_of(row)) {
        line += is_long(flag) ? " -l " + std::string(flag.substr(2)) : " -s " + std::string(flag.substr(1));
    }
    if (takes_value(row)) {
        const auto words = row.type->words();
        line += words.empty() ? std::string(by_metavar(row, fish_options))
                              : " -x -a '" + joined(words, " ") + "'";
    }
    return line + " -d '" + escaped(help_of_flag(row), "'\\") + "'\n";
}

std::string fish_completion() {
    std::string script = with_commands(fish_head) + fish_commands();
    for (const setting& row : all_settings()) {
        if (is_offered(row)) script += fish_line(row);
    }
    return script;
}

}  // namespace

std::string print_completion(std::string_view shell) {
    if (shell == "bash") return bash_completion();
    return shell == "zsh" ? zsh_completion() : fish_completion();
}

}  // namespace unicoro::settings
