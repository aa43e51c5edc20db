// SPDX-License-Identifier: MIT
#include "cli/main.hpp"

#include "cli/options.hpp"
#include "cli/run_server.hpp"
#include "os/process_title.hpp"
#include "settings/load.hpp"

#include <iostream>
#include <optional>
#include <utility>

namespace unicoro::cli {

int run(int argc, char** argv) {
    const settings::load_request request = settings::request_of_process(argc, argv);
    os::prepare_process_title(argc, argv);
    settings::outcome outcome = settings::load(request);
    if (const std::optional<int> code = answer(outcome, std::cout, std::cerr)) return *code;
    std::cout.flush();
    if (outcome.action != settings::action::run) return check_application(outcome.settings);
    return run_server(request, std::move(outcome));
}

}  // namespace unicoro::cli
