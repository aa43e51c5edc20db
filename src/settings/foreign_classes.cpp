// SPDX-License-Identifier: MIT
#include "settings/foreign_classes.hpp"

#include "base/text.hpp"

namespace unicoro::settings {
namespace {

std::vector<std::string> folders(std::span<layer* const> layers) {
    std::vector<std::string> found;
    const json* const path = last_value(layers, "pythonpath");
    if (path != nullptr && path->is_string()) found = base::split_list(path->get<std::string>());
    if (path != nullptr && path->is_array()) {
        for (const json& each : *path) {
            if (each.is_string()) found.push_back(each.get<std::string>());
        }
    }
    const json* const chdir = last_value(layers, "chdir");
    if (chdir != nullptr && chdir->is_string()) found.push_back(chdir->get<std::string>());
    return found;
}

}  // namespace

void adopt_named_classes(
    const load_request& request, std::span<layer* const> layers, std::vector<std::string>& warnings
) {
    python_question asked;
    for (const layer* each : layers) {
        for (const assignment& given : each->values) {
            if (given.row->type->names_class(given.value)) {
                asked.classes.push_back(given.value.get<std::string>());
            }
        }
    }
    if (asked.classes.empty() || !request.run_python_file) return;
    const json* const python = last_value(layers, "python");
    if (python != nullptr && python->is_string()) asked.python = python->get<std::string>();
    asked.path = folders(layers);
    // What the file has set in os.environ is there, too.
    if (const json* const variables = last_value(layers, "raw_env")) {
        json pairs;
        std::vector<fault> faults;
        find_setting("raw_env")->type->read(*variables, pairs, faults);
        using environment = conversion<decltype(asked.environment)>;
        if (faults.empty()) environment::from_json(pairs, asked.environment);
    }
    asked.directory = request.directory;
    asked.command_line = command_line_of(request);
    const python_answer answer = request.run_python_file(asked);
    const json told = json::parse(answer.text, nullptr, false);
    for (layer* const each : layers) {
        std::erase_if(each->values, [&](assignment& given) {
            if (!given.row->type->names_class(given.value)) return false;
            const std::string where = given.from.where() + ": " + base::printable(given.value.dump());
            if (!told.is_object()) {
                each->errors.push_back(where + ": the file of the class " + answer.problem);
                return true;
            }
            const json& found = told.at("classes").at(given.value.get<std::string>());
            if (found.contains("problem")) {
                each->errors.push_back(
                    where + " cannot be imported: " + base::printable(found.at("problem").get<std::string>())
                );
                return true;
            }
            const std::size_t before = each->errors.size();
            given.row->type->adopt(
                given.value, given.from.where(), found.at("lineage"), warnings, each->errors
            );
            return each->errors.size() > before;
        });
    }
}

}  // namespace unicoro::settings
