// SPDX-License-Identifier: MIT
#include "cli/options.hpp"

#include "cli/help.hpp"
#include "settings/print.hpp"

#include <ostream>
#include <string>

namespace unicoro::cli {
namespace {

/// Then the log, which they go to as well, is standard error.
bool warnings_are_logged(const settings::outcome& outcome) {
    return outcome.ok() && outcome.action == settings::action::run && outcome.settings.errorlog == "-";
}

void report(const settings::outcome& outcome, std::ostream& err) {
    if (!warnings_are_logged(outcome)) {
        for (const std::string& warning : outcome.warnings) err << "unicoro: warning: " << warning << '\n';
    }
    for (const std::string& error : outcome.errors) err << "unicoro: error: " << error << '\n';
    const std::size_t count = outcome.errors.size();
    if (count > 1) err << "unicoro: " << count << " errors in the settings; nothing was started\n";
}

}  // namespace

std::optional<int> answer(const settings::outcome& outcome, std::ostream& out, std::ostream& err) {
    report(outcome, err);
    if (!outcome.ok()) return exit_usage;
    switch (outcome.action) {
        case settings::action::run:
        case settings::action::check_config: return std::nullopt;
        case settings::action::print_config:
            out << settings::print_config(outcome.settings);
            // Without an application there is nothing else to check.
            if (outcome.settings.app.empty() && outcome.settings.apps.empty()) return exit_ok;
            return std::nullopt;
        case settings::action::help: out << help_text(); break;
        case settings::action::version: out << "unicoro (version " UNICORO_VERSION ")\n"; break;
        case settings::action::migrate: return std::nullopt;
        case settings::action::print_schema: out << settings::print_schema(); break;
        case settings::action::print_settings_doc: out << settings::print_settings_doc(); break;
        case settings::action::print_man: out << settings::print_man(UNICORO_VERSION); break;
        case settings::action::print_completion: out << settings::print_completion(outcome.subject); break;
    }
    return exit_ok;
}

}  // namespace unicoro::cli
