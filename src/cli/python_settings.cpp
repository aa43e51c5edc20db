// SPDX-License-Identifier: MIT
#include "cli/python_settings.hpp"

#include "app/python_finder.hpp"
#include "cli/gunicorn_conf_source.hpp"
#include "cli/options.hpp"
#include "os/helper_process.hpp"
#include "settings/migrate.hpp"

#include <chrono>
#include <ostream>
#include <utility>

namespace unicoro::cli {
namespace {

using namespace std::chrono_literals;

constexpr int answer_fd = 9;
constexpr auto patience = 30s;

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& each : names) text += (text.empty() ? "" : ",") + each;
    return text;
}

}  // namespace

settings::python_answer run_python_file(const settings::python_question& asked) {
    settings::python_answer answer;
    settings::server_settings chosen;
    chosen.python = asked.python;
    const os::outcome<std::string> interpreter = app::choose_python(chosen);
    if (!interpreter) {
        answer.problem = "is a Python program, and " + interpreter.error().message;
        return answer;
    }
    os::helper helper;
    helper.arguments = {
        *interpreter, "-c", gunicorn_conf_source, std::to_string(answer_fd), asked.location, joined(asked.names)};
    helper.directory = asked.directory.string();
    helper.answer_fd = answer_fd;
    helper.answer_ends = os::helper::ending::first_line;
    helper.patience = patience;
    os::outcome<os::helper_answer> ended = os::ask_helper(helper);
    if (!ended) {
        answer.problem = ended.error().message;
    } else if (!ended->text) {
        answer.problem = "did not come to its end within " + std::to_string(patience.count()) + " seconds";
    } else if (ended->text->empty()) {
        answer.problem = "ended the interpreter " + *interpreter + " while it was read (see above)";
    } else {
        answer.text = std::move(*ended->text);
    }
    return answer;
}

int print_migration(
    const settings::load_request& request, const std::string& location, std::ostream& out, std::ostream& err
) {
    const settings::migration result = settings::migrate(request, location);
    for (const std::string& each : result.errors) err << "unicoro: error: " << each << '\n';
    if (!result.errors.empty()) return exit_usage;
    out << result.json;
    for (const std::string& each : result.notes) err << "unicoro: note: " << each << '\n';
    return exit_ok;
}

}  // namespace unicoro::cli
