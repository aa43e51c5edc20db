// SPDX-License-Identifier: MIT
#include "cli/main.hpp"

#include "app/make_host.hpp"
#include "cli/become_python.hpp"
#include "cli/commands/run_command.hpp"
#include "cli/options.hpp"
#include "cli/python_answers.hpp"
#include "cli/python_settings.hpp"
#include "cli/run_server.hpp"
#include "os/descriptors.hpp"
#include "os/process_title.hpp"
#include "os/program.hpp"
#include "settings/load.hpp"

#include <unicoro/abi.hpp>

#include <iostream>
#include <optional>
#include <utility>

namespace unicoro::cli {

const std::string& build_tag() {
    static const std::string tag = std::string(UNICORO_VERSION "; ") + abi_tag();
    return tag;
}

int run(const invocation& how) {
    if (const error_code failed = os::open_standard_streams()) {
        std::cerr << "unicoro: error: a standard stream is closed, and /dev/null cannot take its place: "
                  << failed.message() << '\n';
        return exit_failure;
    }
    if (!how.embedded && !how.launched) {
        if (const auto code = run_command(how.arguments, std::cout, std::cerr)) return *code;
    }
    const std::vector<std::string> environment = os::current_environment();
    python_answers answers;
    if (how.answers >= 0) answers.restore(os::unique_fd(how.answers));
    settings::load_request request = settings::request_of_process(how.arguments);
    request.embedded = how.embedded;
    request.run_python_file = [&](const settings::python_question& asked) {
        return how.embedded ? how.python->ask(question_of(asked)) : answers.ask(asked);
    };
    settings::outcome outcome = settings::load(request);
    if (!how.launched || !outcome.ok()) {
        if (const std::optional<int> code = answer(outcome, std::cout, std::cerr)) return *code;
    }
    if (outcome.action == settings::action::migrate) {
        return print_migration(request, outcome.subject, std::cout, std::cerr);
    }
    std::cout.flush();
    const bool fits = how.launched || is_wanted_python(how.python, request, outcome.settings);
    if (how.embedded && !fits) {
        std::cerr << "unicoro: error: python: this program serves with its own interpreter, "
                  << how.python->executable() << ": remove the setting\n";
        return exit_usage;
    }
    if (app::needs_python(outcome.settings) && !fits) {
        return become_python(request, outcome.settings, answers);
    }
    // From here on a file is run whenever it is read.
    answers.forget();
    if (outcome.action != settings::action::run) {
        return check_application(request, outcome.settings, how.python);
    }
    os::prepare_process_title();
    os::program begun{how.program, environment, request.directory.string()};
    return run_server(request, std::move(outcome), how, std::move(begun));
}

}  // namespace unicoro::cli
