// SPDX-License-Identifier: MIT
#include "cli/python_settings.hpp"

#include "cli/gunicorn_conf_source.hpp"
#include "cli/options.hpp"
#include "cli/python_finder.hpp"
#include "os/helper_process.hpp"
#include "settings/migrate.hpp"

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <ostream>
#include <string_view>
#include <utility>

namespace unicoro::cli {
namespace {

using namespace std::chrono_literals;

constexpr int answer_fd = 9;
constexpr auto patience = 30s;

std::vector<std::string> environment_of(const settings::python_question& asked) {
    std::vector<std::string> variables;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string_view text(*each);
        const std::string_view name = text.substr(0, text.find('='));
        const bool is_set =
            std::any_of(asked.environment.begin(), asked.environment.end(), [name](const auto& other) {
                return other.first == name;
            });
        if (!is_set) variables.emplace_back(text);
    }
    for (const auto& [name, value] : asked.environment) variables.push_back(name + "=" + value);
    return variables;
}

}  // namespace

std::string question_of(const settings::python_question& asked) {
    const nlohmann::json question{
        {"location", asked.location}, {"names", asked.names}, {"classes", asked.classes}, {"path", asked.path}
    };
    return question.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

settings::python_answer run_python_file(const settings::python_question& asked) {
    settings::python_answer answer;
    python_search where{asked.python, asked.command_line.front(), {asked.directory.string()}};
    const std::filesystem::path beside = std::filesystem::path(asked.location).parent_path();
    if (beside.is_absolute()) where.folders.push_back(beside.string());
    where.folders.insert(where.folders.end(), asked.path.begin(), asked.path.end());
    const os::outcome<chosen_python> interpreter = choose_python(where);
    if (!interpreter) {
        answer.problem = "is a Python program, and " + interpreter.error().message;
        return answer;
    }
    os::helper helper;
    helper.arguments = {
        interpreter->path, "-c", gunicorn_conf_source, std::to_string(answer_fd), question_of(asked)
    };
    helper.arguments.insert(helper.arguments.end(), asked.command_line.begin(), asked.command_line.end());
    helper.environment = environment_of(asked);
    helper.directory = asked.directory.string();
    helper.answer_fd = answer_fd;
    helper.answer_ends = os::helper::ending::first_line;
    helper.patience = patience;
    os::outcome<os::helper_answer> ended = os::ask_helper(helper);
    if (!ended) {
        answer.problem = ended.error().message;
    } else if (!ended->text) {
        answer.problem = "did not finish within " + std::to_string(patience.count()) + " seconds";
    } else if (ended->text->empty()) {
        answer.problem = "ended the interpreter " + interpreter->path + " while it was read (see above)";
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
