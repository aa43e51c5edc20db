// SPDX-License-Identifier: MIT
#include "cli/main.hpp"

#include "cli/options.hpp"
#include "cli/python_settings.hpp"
#include "cli/run_server.hpp"
#include "os/descriptors.hpp"
#include "os/process.hpp"
#include "os/process_title.hpp"
#include "settings/load.hpp"

#include <iostream>
#include <optional>
#include <utility>

namespace unicoro::cli {

int run(int argc, char** argv) {
    if (const error_code failed = os::open_standard_streams()) {
        std::cerr << "unicoro: error: a standard stream is closed, and /dev/null cannot take its place: "
                  << failed.message() << '\n';
        return exit_failure;
    }
    settings::load_request request = settings::request_of_process(argc, argv);
    request.program = os::executed_path();
    request.run_python_file = run_python_file;
    os::prepare_process_title(argc, argv);
    settings::outcome outcome = settings::load(request);
    if (const std::optional<int> code = answer(outcome, std::cout, std::cerr)) return *code;
    if (outcome.action == settings::action::migrate) {
        return print_migration(request, outcome.subject, std::cout, std::cerr);
    }
    std::cout.flush();
    if (outcome.action != settings::action::run) return check_application(request, outcome.settings);
    return run_server(request, std::move(outcome));
}

}  // namespace unicoro::cli
