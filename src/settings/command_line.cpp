// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "settings/foreign_flags.hpp"
#include "settings/layer.hpp"
#include "settings/shell_words.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace unicoro::settings {
namespace {

constexpr const char* variable = "UNICORO_CMD_ARGS";

bool takes_value(const setting& row) {
    return row.form == flag_form::value || row.form == flag_form::repeated;
}

/// True for "--anything" and for known short flags, but not for "-" and negative numbers.
bool looks_like_flag(std::string_view word) {
    if (word.starts_with("--")) return true;
    return word.size() > 1 && word.starts_with('-') && find_flag(word.substr(0, 2)) != nullptr;
}

/// Brings arguments into the forms that CLI11 reads as argparse would: a flag without its value is
/// reported here, because CLI11 would take the next flag for it; so are an empty value after '='
/// and values that may be left out.
class normaliser {
  public:
    normaliser(const std::string& source, std::span<const std::string> arguments)
        : source_(source), arguments_(arguments) {}

    std::vector<std::string> run(std::vector<std::string>& errors) {
        while (at_ < arguments_.size()) {
            const std::string& word = arguments_[at_++];
            if (word == "--") {
                words_.insert(
                    words_.end(), arguments_.begin() + static_cast<std::ptrdiff_t>(at_ - 1), arguments_.end()
                );
                break;
            }
            take(word, errors);
        }
        return std::move(words_);
    }

  private:
    void take(const std::string& word, std::vector<std::string>& errors) {
        const bool is_long = word.starts_with("--");
        const auto equals = is_long ? word.find('=') : (word.size() > 2 && word[2] == '=' ? 2 : word.npos);
        const std::string flag = word.substr(0, equals);
        const setting* row = word.starts_with('-') ? find_flag(flag) : nullptr;
        if (row == nullptr) {
            words_.push_back(word);
        } else if (row->form == flag_form::optional_value && equals == word.npos) {
            const bool next_is_value = at_ < arguments_.size() && row->type->accepts(arguments_[at_]);
            push(flag, next_is_value ? arguments_[at_++] : "true");
        } else if (!takes_value(*row)) {
            words_.push_back(word);
        } else if (equals != word.npos) {
            push(flag, word.substr(equals + 1));
        } else if (at_ == arguments_.size() || looks_like_flag(arguments_[at_])) {
            errors.push_back(source_ + ": " + flag + " needs a value (" + std::string(row->metavar) + ")");
        } else {
            push(flag, arguments_[at_++]);
        }
    }

    void push(const std::string& flag, std::string value) {
        words_.push_back(flag);
        words_.push_back(std::move(value));
    }

    const std::string& source_;
    std::span<const std::string> arguments_;
    std::size_t at_ = 0;
    std::vector<std::string> words_;
};

/// The table as CLI11 options; every value stays text, the value types check it.
class parser {
  public:
    parser() {
        app_.set_help_flag();
        app_.allow_extras();
        for (const setting& row : all_settings()) {
            if (row.flags.empty()) continue;
            const std::string flags{row.flags};
            const bool is_switch = row.form == flag_form::switch_on || row.form == flag_form::switch_off;
            CLI::Option* option = is_switch ? app_.add_flag(flags) : app_.add_option(flags);
            option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
            if (!is_switch) option->expected(1);
            options_.emplace_back(&row, option);
        }
        application_ = app_.add_option("APP");
        application_->expected(1);
    }

    /// False when CLI11 itself refuses the arguments.
    bool parse(std::vector<std::string> words, std::string& problem) {
        std::reverse(words.begin(), words.end());
        try {
            app_.parse(std::move(words));
        } catch (const CLI::Error& error) {
            problem = error.what();
            return false;
        }
        return true;
    }

    const std::vector<std::pair<const setting*, CLI::Option*>>& options() const { return options_; }
    const std::vector<std::string>& application() const { return application_->results(); }
    std::vector<std::string> rest() const { return app_.remaining(); }

  private:
    CLI::App app_;
    std::vector<std::pair<const setting*, CLI::Option*>> options_;
    CLI::Option* application_ = nullptr;
};

json written_value(const setting& row, const std::vector<std::string>& results) {
    if (row.form == flag_form::repeated) return results;
    const std::string& last = results.back();
    if (row.form != flag_form::switch_off) return last;
    if (last == "true") return "false";
    return last == "false" ? "true" : last;
}

std::string describe_unknown(const std::string& flag, std::span<const std::string> arguments) {
    const std::string shown = base::printable(flag);
    if (const auto foreign = foreign_flag(flag, arguments)) return shown + *foreign;
    if (const auto meant = nearest_flag(flag)) {
        return "unknown flag " + shown + "; did you mean " + std::string(*meant) + "?";
    }
    return "unknown flag " + shown + " (--help lists all)";
}

void report_rest(
    const std::string& source,
    const std::vector<std::string>& rest,
    std::span<const std::string> arguments,
    layer& result
) {
    const bool unknown_flag = std::any_of(rest.begin(), rest.end(), [](const std::string& word) {
        return word != "--" && word.size() > 1 && word.starts_with('-');
    });
    for (const std::string& word : rest) {
        if (word == "--") continue;
        std::string message = source + ": ";
        if (word.size() > 1 && word.starts_with('-')) {
            message += describe_unknown(word.substr(0, word.find('=')), arguments);
        } else if (unknown_flag) {
            continue;  // most likely the value of the unknown flag
        } else {
            message += "unexpected argument \"" + base::printable(word) +
                       "\": one application is served, and it has already been given";
        }
        result.errors.push_back(std::move(message));
    }
}

question read_question(const setting& row, const json& written, const origin& from) {
    question asked{row.asks_for};
    json value;
    std::vector<fault> faults;
    row.type->read(written, value, faults);
    if (faults.empty()) {
        asked.subject = value.get<std::string>();
    } else {
        asked.problem = from.where() + ": " + faults.front().text;
    }
    return asked;
}

void take_option(
    const std::string& source, const setting& row, const std::vector<std::string>& results, layer& result
) {
    const origin from{.source = source, .place = std::string(spoken_name(row))};
    json value = written_value(row, results);
    if (row.asks_for != action::run && row.form == flag_form::value) {
        result.asked.push_back(read_question(row, value, from));
    } else if (row.asks_for != action::run) {
        if (value == "true") result.asked.push_back({row.asks_for});
    } else if (row.scope == scope::command_line) {
        result.config = results.back();
    } else {
        result.values.push_back({&row, std::move(value), from});
    }
}

}  // namespace

layer read_command_line(const std::string& source, std::span<const std::string> arguments) {
    layer result;
    parser reader;
    std::string problem;
    if (!reader.parse(normaliser(source, arguments).run(result.errors), problem)) {
        result.errors.push_back(source + ": " + base::printable(problem));
        return result;
    }
    for (const auto& [row, option] : reader.options()) {
        if (!option->results().empty()) take_option(source, *row, option->results(), result);
    }
    if (!reader.application().empty()) {
        const setting* row = find_setting("app");
        result.values.push_back({row, reader.application().back(), {.source = source, .place = "APP"}});
    }
    report_rest(source, reader.rest(), arguments, result);
    return result;
}

layer read_command_variable(const environment_reader& environment) {
    const auto text = environment(variable);
    if (!text) return {};
    const shell_words split = split_shell_words(*text);
    if (split.problem.empty()) return read_command_line(variable, split.words);
    layer broken;
    broken.errors.push_back(std::string(variable) + ": the text " + split.problem);
    return broken;
}

}  // namespace unicoro::settings
