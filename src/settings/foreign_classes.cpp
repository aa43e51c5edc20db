// SPDX-License-Identifier: MIT
#include "settings/foreign_classes.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace unicoro::settings {
namespace {

bool is_accepted(const setting& row, const json& value) {
    json canonical;
    std::vector<fault> faults;
    row.type->read(value, canonical, faults);
    return faults.empty();
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

/// What the class and its bases define, down to the base `known` (all of it without one).
std::vector<std::string> overridden(const json& lineage, std::string_view known) {
    std::vector<std::string> names;
    for (const json& each : lineage) {
        if (each.at(0).get_ref<const std::string&>() == known) break;
        for (const json& name : each.at(1)) {
            auto text = name.get<std::string>();
            if (std::find(names.begin(), names.end(), text) == names.end()) names.push_back(text);
        }
    }
    return names;
}

/// What of a logger class the server's own messages would have to go through.
bool concerns_own_messages(const std::string& name) {
    constexpr std::array<std::string_view, 9> names{
        "critical", "error", "warning", "info", "debug", "exception", "log", "error_fmt", "datefmt"
    };
    return std::find(names.begin(), names.end(), name) != names.end();
}

void adopt_worker_class(
    assignment& given,
    const json& lineage,
    std::vector<std::string>& warnings,
    std::vector<std::string>& errors
) {
    const std::string written = base::printable(given.value.dump());
    std::vector<std::string> bases;
    for (const json& each : lineage) {
        const auto name = each.at(0).get<std::string>();
        if (const std::string_view refusal = worker_class_refusal(name); !refusal.empty()) {
            errors.push_back(given.from.where() + ": " + written + " is refused: " + std::string(refusal));
            return;
        }
        if (!is_accepted(*given.row, name)) {
            bases.push_back(name);
            continue;
        }
        const std::vector<std::string> names = overridden(lineage, name);
        given.value = name;
        if (names.empty()) return;
        warnings.push_back(
            given.from.where() + ": " + written + " is served as " + name +
            " is; what it overrides has no effect here: " + joined(names)
        );
        return;
    }
    errors.push_back(
        given.from.where() + ": " + written + " is derived from no worker class that is known here (" +
        joined(bases) + "): choose " + given.row->type->rule()
    );
}

void adopt_logger_class(const assignment& given, const json& lineage, std::vector<std::string>& warnings) {
    std::vector<std::string> names = overridden(lineage, default_logger_class);
    std::erase_if(names, [](const std::string& each) { return !concerns_own_messages(each); });
    if (names.empty()) return;
    warnings.push_back(
        given.from.where() + ": " + base::printable(given.value.dump()) + " overrides " + joined(names) +
        ", which only Python's messages go through: the server writes its own as they are"
    );
}

bool is_foreign(const assignment& given) {
    if (!given.value.is_string()) return false;
    const auto& text = given.value.get_ref<const std::string&>();
    if (given.row->name == "logger_class") {
        return text != default_logger_class && text != "simple" && !text.starts_with('/');
    }
    return given.row->name == "worker_class" && text.find_first_of(".:") != std::string::npos &&
           !text.starts_with("egg:") && !is_accepted(*given.row, given.value);
}

/// The last word of the layers on a setting.
const json* last_value(std::span<layer* const> layers, std::string_view name) {
    const json* found = nullptr;
    for (const layer* each : layers) {
        for (const assignment& given : each->values) {
            if (given.row->name == name) found = &given.value;
        }
    }
    return found;
}

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

void adopt_class(
    assignment& given,
    const json& lineage,
    std::vector<std::string>& warnings,
    std::vector<std::string>& errors
) {
    if (given.row->name == "worker_class") {
        adopt_worker_class(given, lineage, warnings, errors);
    } else if (given.row->name == "logger_class") {
        adopt_logger_class(given, lineage, warnings);
    }
}

void adopt_named_classes(
    const load_request& request, std::span<layer* const> layers, std::vector<std::string>& warnings
) {
    python_question asked;
    for (const layer* each : layers) {
        for (const assignment& given : each->values) {
            if (is_foreign(given)) asked.classes.push_back(given.value.get<std::string>());
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
        if (faults.empty()) pairs.get_to(asked.environment);
    }
    asked.directory = request.directory;
    asked.command_line = command_line_of(request);
    const python_answer answer = request.run_python_file(asked);
    const json told = json::parse(answer.text, nullptr, false);
    for (layer* const each : layers) {
        std::erase_if(each->values, [&](assignment& given) {
            if (!is_foreign(given)) return false;
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
            adopt_class(given, found.at("lineage"), warnings, each->errors);
            return each->errors.size() > before;
        });
    }
}

}  // namespace unicoro::settings
