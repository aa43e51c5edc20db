// SPDX-License-Identifier: MIT
#include "cli/commands/arguments.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace unicoro::cli {
namespace {

using settings::command_flag;

constexpr std::size_t help_column = 26;

std::string quoted(std::string_view text) {
    return "\"" + base::printable(text) + "\"";
}

/// The long one, which every flag has.
std::string_view long_name(const command_flag& row) {
    return row.flags.substr(row.flags.find("--"));
}

class reader {
  public:
    reader(const settings::command& which, std::span<const std::string> words) : words_(words) {
        made_.which = &which;
    }

    command_call run() {
        while (at_ < words_.size()) take(words_[at_++]);
        if (made_.help) {
            made_.problems.clear();
            return std::move(made_);
        }
        if (!made_.which->argument.empty() && made_.argument.empty() && made_.problems.empty()) {
            fail("say " + std::string(made_.which->argument));
        }
        const int named =
            (made_.admin ? 1 : 0) + (made_.config ? 1 : 0) + (made_.pidfile ? 1 : 0) + (made_.pid ? 1 : 0);
        if (named > 1) fail("the server is named twice: give one of --admin, --config, --pidfile and --pid");
        return std::move(made_);
    }

  private:
    void fail(std::string why) { made_.problems.push_back(std::move(why)); }

    void take(const std::string& word) {
        if (settings::is_one_of(word, made_.which->words, ' ')) {
            if (!made_.argument.empty()) fail(quoted(word) + " is one too many");
            made_.argument = word;
            return;
        }
        if (!word.starts_with('-') || word.size() < 2) {
            return fail(
                "unexpected argument " + quoted(word) +
                (made_.which->argument.empty() ? "" : ": say " + std::string(made_.which->argument))
            );
        }
        const auto equals = word.starts_with("--") ? std::min(word.find('='), word.size()) : word.size();
        const std::string_view flag = std::string_view(word).substr(0, equals);
        const auto all = settings::command_flags();
        const auto row = std::ranges::find_if(all, [&](const command_flag& each) {
            return settings::has_flag(*made_.which, each) && settings::is_one_of(flag, each.flags, ',');
        });
        if (row == all.end()) return fail(unknown(flag));
        const bool with_value = equals < word.size();
        if (row->metavar.empty()) {
            if (with_value) return fail(std::string(flag) + " takes no value");
            return switch_on(long_name(*row));
        }
        if (!with_value && at_ == words_.size()) {
            return fail(std::string(flag) + " needs a value (" + std::string(row->metavar) + ")");
        }
        set(*row, with_value ? word.substr(equals + 1) : words_[at_++]);
    }

    std::string unknown(std::string_view flag) const {
        std::vector<std::string_view> known;
        for (const command_flag& each : settings::command_flags()) {
            if (settings::has_flag(*made_.which, each)) known.push_back(long_name(each));
        }
        std::string text = "unknown flag " + base::printable(flag);
        if (flag.starts_with("--admin-token") || flag == "--token") {
            return text +
                   ": every user sees a command line; give the name of a file, --token-file FILE, or set "
                   "UNICORO_ADMIN_TOKEN";
        }
        if (const auto meant = base::nearest(flag, known)) {
            return text + "; did you mean " + std::string(*meant) + "?";
        }
        return text + " (unicoro " + std::string(made_.which->name) + " --help lists all)";
    }

    void switch_on(std::string_view name) {
        if (name == "--json") made_.json = true;
        if (name == "--no-wait") made_.waits = false;
        if (name == "--help") made_.help = true;
    }

    void set(const command_flag& row, const std::string& value) {
        const std::string_view name = long_name(row);
        if (value.empty()) {
            return fail(std::string(name) + " needs a value (" + std::string(row.metavar) + ")");
        }
        if (!row.words.empty() && !settings::is_one_of(value, row.words, ' ')) {
            return fail(std::string(name) + ": " + quoted(value) + " is none of: " + std::string(row.words));
        }
        if (name == "--admin") made_.admin = value;
        if (name == "--config") made_.config = value;
        if (name == "--pidfile") made_.pidfile = value;
        if (name == "--token-file") made_.token_file = value;
        if (name == "--sort") made_.sort = value;
        if (name == "--pid") {
            made_.pid = process_of(name, value, "a file is named by --pidfile");
        }
        if (name == "--worker") {
            made_.worker = process_of(name, value, "unicoro status lists the workers");
        }
        if (name == "--count") set_count(value);
        if (name == "--interval") made_.interval = time_of(name, value, 3600, made_.interval);
        if (name == "--timeout") made_.timeout = time_of(name, value, 86'400, made_.timeout);
    }

    std::optional<pid_t> process_of(
        std::string_view name, const std::string& value, const std::string& remedy
    ) {
        const auto number = base::parse_integer<pid_t>(value);
        if (number && *number >= 1) return number;
        fail(std::string(name) + ": " + quoted(value) + " is no number of a process; " + remedy);
        return std::nullopt;
    }

    void set_count(const std::string& value) {
        const auto number = base::parse_integer<std::uint32_t>(value);
        if (!number || *number < 1)
            return fail("--count: " + quoted(value) + " is no whole number from 1 on");
        made_.count = *number;
    }

    std::chrono::milliseconds time_of(
        std::string_view name, const std::string& value, int most, std::chrono::milliseconds otherwise
    ) {
        const auto number = base::parse_decimal(value);
        if (!number || *number < 0.1 || *number > most) {
            fail(
                std::string(name) + ": " + quoted(value) + " is no number of seconds from 0.1 to " +
                std::to_string(most)
            );
            return otherwise;
        }
        return std::chrono::milliseconds(static_cast<std::int64_t>(*number * 1000));
    }

    std::span<const std::string> words_;
    std::size_t at_ = 0;
    command_call made_;
};

}  // namespace

command_call read_call(const settings::command& which, std::span<const std::string> words) {
    return reader(which, words).run();
}

std::string help_of_command(const settings::command& which) {
    const std::string argument = which.argument.empty() ? "" : " " + std::string(which.argument);
    const std::string name{which.name};
    std::string text =
        "usage: unicoro " + name + argument + " [FLAGS]\n\n" + std::string(which.help) +
        ".\nWithout a flag that names the server it is the only one of this user's that runs.\n\n";
    for (const command_flag& each : settings::command_flags()) {
        if (!settings::has_flag(which, each)) continue;
        std::string left = "  " + std::string(each.flags);
        if (const auto comma = left.find(','); comma != left.npos) left.replace(comma, 1, ", ");
        if (!each.metavar.empty()) left += " " + std::string(each.metavar);
        left.resize(std::max(left.size() + 2, help_column), ' ');
        text += left + std::string(each.help);
        if (!each.words.empty()) text += ": " + std::string(each.words);
        text += '\n';
    }
    text += which.name == "status"
                ? "\nExit code: 0 ready, 1 not ready, 2 wrong call, 3 no server reached.\n"
                : "\nExit code: 0 done, 1 failed or not in time, 2 wrong call, 3 no server reached.\n";
    return text + "An application of this name is served by: unicoro " + name + ":application\n";
}

}  // namespace unicoro::cli
