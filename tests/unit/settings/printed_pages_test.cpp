// SPDX-License-Identifier: MIT
#include "settings/print.hpp"

#include "settings/commands.hpp"
#include "settings/setting.hpp"
#include "support/doctest.hpp"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

using namespace unicoro::settings;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

/// The first line with this in it.
std::string line_with(const std::string& text, const std::string& part) {
    for (const std::string& line : lines_of(text)) {
        if (line.find(part) != std::string::npos) return line;
    }
    return "(absent)";
}

bool has_line(const std::string& text, const std::string& wanted) {
    const auto lines = lines_of(text);
    return std::find(lines.begin(), lines.end(), wanted) != lines.end();
}

/// As roff has a flag.
std::string in_roff(std::string_view flag) {
    std::string text;
    for (const char c : flag) text += c == '-' ? std::string("\\-") : std::string(1, c);
    return text;
}

}  // namespace

TEST_SUITE("printed pages") {
    TEST_CASE("the manual page has every flag and every key") {
        const std::string page = print_man("1.2.3");
        CHECK(page.starts_with(".TH UNICORO 1 \"20"));
        CHECK(line_with(page, ".TH").ends_with("\"unicoro 1.2.3\""));
        for (const setting& row : all_settings()) {
            CAPTURE(row.name);
            for (const auto flag : flags_of(row)) {
                CHECK(page.find("\\fB" + in_roff(flag) + "\\fR") != std::string::npos);
            }
            if (row.flags.empty()) {
                CHECK(has_line(page, "\\fB" + std::string(row.name) + "\\fR (only in the file)"));
            }
        }
        for (const char* heading :
             {"NAME", "SYNOPSIS", "OPTIONS", "SIGNALS", "COMMANDS", "EXIT STATUS", "FILES", "EXAMPLES"}) {
            CHECK(has_line(page, std::string(".SH ") + heading));
        }
    }

    TEST_CASE("an entry of the manual page") {
        const std::string page = print_man("1");
        CHECK(
            page.find(".TP\n"
                      "\\fB\\-m\\fR, \\fB\\-\\-umask\\fR \\fIMODE\\fR\n"
                      "The mask for the file modes of unix sockets.\n"
                      ".br\n"
                      "In the file: umask, a file mode from 0 to 0777, best written as an octal\n"
                      "string such as \"0o022\".\n"
                      ".br\n"
                      "Default: 0.\n") != std::string::npos
        );
        CHECK(page.find("\\fB\\-\\-no\\-sendfile\\fR\nDo not send files") != std::string::npos);
        // A quote that is to be typed stays one, an apostrophe may be made typographic.
        CHECK(page.find("loadapp(\\(aqconfig:/path/to.ini\\(aq)") != std::string::npos);
        CHECK(page.find("worker's") != std::string::npos);
    }

    TEST_CASE("no line of the manual page is long, or a macro by mistake") {
        for (const std::string& line : lines_of(print_man("1"))) {
            CAPTURE(line);
            const bool can_be_broken = line.find(' ') != std::string::npos && !line.starts_with("\\fB");
            if (can_be_broken) CHECK(line.size() <= 80);
            CHECK_FALSE(line.ends_with(' '));
            CHECK_FALSE(line.starts_with('\''));
            const bool macro = line.starts_with('.');
            if (macro) CHECK(line.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZb") == 1);
        }
    }

    TEST_CASE("every flag that has an effect is completed, and no other") {
        const std::string bash = print_completion("bash");
        const std::string zsh = print_completion("zsh");
        const std::string fish = print_completion("fish");
        std::string offered = line_with(bash, "flag) words='");
        std::replace(offered.begin(), offered.end(), '\'', ' ');
        for (const setting& row : all_settings()) {
            for (const auto flag : flags_of(row)) {
                if (!flag.starts_with("--")) continue;
                CAPTURE(flag);
                const bool works = row.status == availability::now;
                CHECK((offered.find(" " + std::string(flag) + " ") != std::string::npos) == works);
                CHECK((zsh.find(std::string(flag)) != std::string::npos) == works);
                CHECK((fish.find(" -l " + std::string(flag.substr(2)) + " ") != std::string::npos) == works);
            }
        }
    }

    TEST_CASE("commands and their flags are in all of them") {
        const std::string page = print_man("1");
        const std::string bash = print_completion("bash");
        for (const command& each : commands()) {
            CAPTURE(each.name);
            const std::string name{each.name};
            CHECK(page.find(".TP\n\\fB" + name + "\\fR") != std::string::npos);
            const std::string offered = line_with(bash, "        " + name + ") words='");
            for (const command_flag& flag : command_flags()) {
                const std::string word{flag.flags.substr(flag.flags.find("--"))};
                CAPTURE(word);
                CHECK((offered.find(word) != std::string::npos) == has_flag(each, flag));
                CHECK(page.find("\\fB" + in_roff(word) + "\\fR") != std::string::npos);
            }
            CHECK(line_with(print_completion("zsh"), "            " + name + ")") != "(absent)");
            CHECK(
                line_with(print_completion("fish"), "-n __unicoro_begins -a " + name + " -d '") != "(absent)"
            );
        }
    }

    TEST_CASE("values are completed") {
        const std::string bash = print_completion("bash");
        CHECK(has_line(bash, "        --log-level) kind=words words='debug info warning error critical' ;;"));
        CHECK(has_line(bash, "        -w | --workers) kind=words words='auto' ;;"));
        CHECK(has_line(bash, "        -c | --config) kind=path ;;"));
        CHECK(has_line(bash, "        --chdir) kind=folder ;;"));
        CHECK(has_line(bash, "        --root-path) kind=value ;;"));
        const std::string zsh = print_completion("zsh");
        CHECK(
            line_with(zsh, "--log-level").find(":LEVEL:(debug info warning error critical)'") !=
            std::string::npos
        );
        CHECK(line_with(zsh, "--user").find("'(-u --user)'{-u+,--user=}'[") != std::string::npos);
        CHECK(line_with(zsh, "--user").find("]:USER:_users'") != std::string::npos);
        CHECK(
            line_with(zsh, "--bind").find("'*'{-b+,--bind=}'[Listen on HOST, HOST:PORT, \\[IPV6\\]:PORT") !=
            std::string::npos
        );
        const std::string fish = print_completion("fish");
        CHECK(has_line(
            fish, "complete -c unicoro -n __unicoro_serves -s h -l help -d 'Print this help and exit'"
        ));
        CHECK(line_with(fish, " -l group ")
                  .starts_with("complete -c unicoro -n __unicoro_serves -s g -l group -x -a "
                               "'(__fish_complete_groups)' -d '"));
        CHECK(has_line(fish, "complete -c unicoro -n '__unicoro_command workers' -a '+1 -1'"));
        CHECK(line_with(fish, " -l migrate ").find("gunicorn\\'s FILE.py") != std::string::npos);
    }
}
