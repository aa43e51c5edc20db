// SPDX-License-Identifier: MIT
#include "settings/python_file.hpp"

#include "base/text.hpp"
#include "settings/value_types.hpp"

#include <algorithm>

namespace unicoro::settings {
namespace {

std::vector<std::string> names_to_ask_for() {
    std::vector<std::string> names;
    for (const setting& row : all_settings()) {
        if (row.scope != scope::everywhere || row.name == "hooks") continue;
        names.emplace_back(row.name);
        if (!row.other_name.empty()) names.emplace_back(row.other_name);
    }
    for (const std::string_view each : hook_names()) names.emplace_back(each);
    return names;
}

class reader {
  public:
    reader(std::string location, std::string name) : location_(std::move(location)), name_(std::move(name)) {}

    python_file run(const json& answer) {
        if (answer.contains("failure")) {
            fail(answer.at("failure").get<std::string>());
            return std::move(result_);
        }
        for (const auto& [key, told] : answer.at("values").items()) {
            if (is_hook(key)) {
                take_hook(key, told);
            } else {
                take_setting(key, told);
            }
        }
        if (!hooks_.empty()) put("hooks", hooks_);
        take_path(answer.at("path"));
        take_environment(answer);
        return std::move(result_);
    }

  private:
    void fail(const std::string& text) { result_.values.errors.push_back(name_ + ": " + text); }

    void put(const std::string& key, const json& value) {
        const setting* const row = find_setting(key);
        for (assignment& other : result_.values.values) {
            if (other.row != row) continue;
            fail(key + ": means the same as " + other.from.place + "; keep one");
            return;
        }
        result_.values.values.push_back({row, value, {name_, key, false}});
    }

    void take_hook(const std::string& key, const json& told) {
        const std::string kind = told.at(0).get<std::string>();
        if (kind == "value" && told.at(1).is_null()) return;
        if (kind != "function" && kind != "class") {
            return fail(key + ": is a hook and must be a function");
        }
        if (const std::string_view refusal = hook_refusal(key); !refusal.empty()) {
            return fail(key + " is not available yet: " + std::string(refusal));
        }
        const std::string_view module = "python:";
        const std::string place =
            location_.starts_with(module) ? location_.substr(module.size()) : location_;
        hooks_[key] = place + ":" + key;
    }

    void take_setting(const std::string& key, const json& told) {
        const std::string kind = told.at(0).get<std::string>();
        if (kind == "value") {
            note_computed(key, told);
            return put(key, told.at(1));
        }
        // gunicorn takes a class itself where a name is usual.
        if (kind == "class") return put(key, told.at(1));
        fail(key + ": is a " + told.at(1).get<std::string>() + ", which is no value of this setting");
    }

    void note_computed(const std::string& key, const json& told) {
        if (!told.at(2).is_string()) return;
        std::string line = key + " = " + told.at(2).get<std::string>() + ", now " +
                           told.at(1).dump(-1, ' ', false, json::error_handler_t::replace);
        if (key == "workers") line += R"( ("auto" counts the CPUs at each start))";
        result_.computed.push_back(base::printable(line));
    }

    /// What the file added to sys.path was for the application, too.
    void take_path(const json& path) {
        if (path.empty()) return;
        json folders = json::array();
        for (const assignment& each : result_.values.values) {
            if (each.row->name != "pythonpath") continue;
            folders = each.value.is_string() ? json::array({each.value}) : each.value;
        }
        if (!folders.is_array()) return;
        for (const json& each : path) folders.push_back(each);
        replace("pythonpath", folders);
    }

    /// Variables it set go to the application, as in gunicorn, whose master is the process that ran it.
    void take_environment(const json& answer) {
        const json& changed = answer.at("environment");
        if (!changed.empty()) {
            json variables = json::array();
            for (const auto& [variable, text] : changed.items()) {
                variables.push_back(variable + "=" + text.get<std::string>());
            }
            for (const assignment& each : result_.values.values) {
                if (each.row->name != "raw_env" || !each.value.is_array()) continue;
                for (const json& own : each.value) variables.push_back(own);
            }
            replace("raw_env", variables);
        }
        for (const json& each : answer.at("lost")) {
            result_.warnings.push_back(
                name_ + ": it removes or cannot pass on the environment variable " +
                base::printable(each.get<std::string>()) + ": the application sees it unchanged"
            );
        }
    }

    void replace(const std::string& key, const json& value) {
        const setting* const row = find_setting(key);
        std::erase_if(result_.values.values, [&](const assignment& each) { return each.row == row; });
        put(key, value);
    }

    std::string location_;
    std::string name_;
    json hooks_ = json::object();
    python_file result_;
};

}  // namespace

python_file read_python_file(
    const load_request& request, const std::string& location, const std::string& name, const std::string& python
) {
    python_file result;
    if (!request.run_python_file) {
        result.values.errors.push_back(name + ": a Python file cannot be read here");
        return result;
    }
    const python_answer answer = request.run_python_file({location, names_to_ask_for(), python, request.directory});
    if (!answer.problem.empty()) {
        result.values.errors.push_back(name + ": " + answer.problem);
        return result;
    }
    const json parsed = json::parse(answer.text, nullptr, false);
    if (!parsed.is_object()) {
        result.values.errors.push_back(name + ": it wrote into the answer of the program that reads it");
        return result;
    }
    return reader(location, name).run(parsed);
}

}  // namespace unicoro::settings
