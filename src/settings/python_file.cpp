// SPDX-License-Identifier: MIT
#include "settings/python_file.hpp"

#include "base/text.hpp"
#include "settings/foreign_classes.hpp"
#include "settings/value_types.hpp"

#include <array>

namespace unicoro::settings {
namespace {

variable_kind kind_of(const setting& row, std::string_view key) {
    return key == row.name ? row.variable : row.other_variable;
}

std::vector<std::string> names_to_ask_for() {
    std::vector<std::string> names;
    for (const setting& row : all_settings()) {
        if (row.scope != scope::everywhere) continue;
        for (const std::string_view key : {row.name, row.other_name}) {
            const bool asked = !key.empty() && kind_of(row, key) != variable_kind::something_else;
            if (asked) names.emplace_back(key);
        }
    }
    for (const std::string_view each : hook_names()) names.emplace_back(each);
    return names;
}

enum class source { file, program };

class reader {
  public:
    reader(std::string location, std::string name, source what)
        : location_(std::move(location)), name_(std::move(name)), what_(what) {}

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
        if (what_ == source::program) {
            take_application(answer.at("app"));
            return std::move(result_);
        }
        take_path(answer.at("path"));
        take_environment(answer);
        if (answer.at("header").is_string()) replace("server_header", answer.at("header"));
        result_.has_effects = answer.at("effects").get<bool>();
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
        result_.values.values.push_back({row, value, {.source = name_, .place = key}});
    }

    void take_hook(const std::string& key, const json& told) {
        const std::string kind = told.at(0).get<std::string>();
        const json& value = told.at(1);
        if (kind == "value" && value.is_null()) return;
        const bool by_name = kind == "value" && value.is_string() &&
                             !canonical_reference(value.get_ref<const std::string&>()).empty();
        if (kind != "function" && kind != "class" && !by_name) {
            return fail(
                key + ": is a hook and must be a function, or the name of one as \"module.function\""
            );
        }
        if (const std::string_view refusal = hook_refusal(key); !refusal.empty()) {
            result_.makes_tls_context = result_.makes_tls_context || key == "ssl_context";
            result_.left_out.push_back(
                name_ + ": " + key + " is not called: " + std::string(refusal) + "; remove it"
            );
            return;
        }
        hooks_[key] = by_name ? value : json(reference_to(key));
    }

    /// How an object of the file is named where it is run again.
    [[nodiscard]] std::string reference_to(const std::string& key) const {
        const std::string_view module = "python:";
        return (location_.starts_with(module) ? location_.substr(module.size()) : location_) + ":" + key;
    }

    void take_setting(const std::string& key, const json& told) {
        const std::string kind = told.at(0).get<std::string>();
        const setting& row = *find_setting(key);
        const bool ours = what_ == source::file && kind_of(row, key) == variable_kind::ours;
        if (kind == "value") {
            // As gunicorn's own defaults are: not set.
            if (told.at(1).is_null()) return;
            if (ours && !row.type->accepts(told.at(1))) return pass_over(key);
            note_computed(key, told);
            return put(key, in_form_of(*row.type, told.at(1)));
        }
        if (ours) return pass_over(key);
        // gunicorn takes a class itself where a name is usual.
        if (kind == "class") return take_class(key, told);
        if (kind == "other" && row.type->may_be_named()) return put(key, reference_to(key));
        fail(key + ": is a " + told.at(1).get<std::string>() + ", which is not a value of this setting");
    }

    void pass_over(const std::string& key) {
        result_.left_out.push_back(
            name_ + ": " + key +
            ": is not a value of this setting of Unicoro's, so it is taken for something else"
        );
    }

    void take_class(const std::string& key, const json& told) {
        const std::string of_the_file = "__config__.";
        auto name = told.at(1).get<std::string>();
        if (name.starts_with(of_the_file)) name = reference_to(name.substr(of_the_file.size()));
        const std::size_t before = result_.values.values.size();
        put(key, name);
        if (result_.values.values.size() == before) return;
        layer& values = result_.values;
        const std::size_t errors = values.errors.size();
        assignment& given = values.values.back();
        given.row->type->adopt(given.value, given.from.where(), told.at(2), result_.warnings, values.errors);
        if (values.errors.size() > errors) values.values.pop_back();
    }

    /// True and False are numbers to Python, and to gunicorn.
    static json in_form_of(const value_type& type, const json& value) {
        if (!value.is_boolean() || type.accepts(value)) return value;
        const json number = value.get<bool>() ? 1 : 0;
        return type.accepts(number) ? number : value;
    }

    void note_computed(const std::string& key, const json& told) {
        if (!told.at(3).is_string()) return;
        std::string line = key + " = " + told.at(3).get<std::string>() + ", now " +
                           told.at(1).dump(-1, ' ', false, json::error_handler_t::replace);
        const std::string_view advice = find_setting(key)->type->advice();
        if (!advice.empty()) line += " (" + std::string(advice) + ")";
        result_.computed.push_back(base::printable(line));
    }

    void take_application(const json& spec) {
        if (last_value(std::array{&result_.values}, "app") != nullptr) {
            result_.warnings.push_back(
                name_ + ": app has no effect: the application is what load() returns; remove it"
            );
        }
        replace("app", spec);
    }

    /// What the file added to sys.path was for the application, too.
    void take_path(const json& path) {
        if (path.empty()) return;
        const json* const own = last_value(std::array{&result_.values}, "pythonpath");
        json folders = own == nullptr ? json::array() : *own;
        if (folders.is_string()) folders = json::array({folders});
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
            const json* const own = last_value(std::array{&result_.values}, "raw_env");
            if (own != nullptr && own->is_array()) {
                variables.insert(variables.end(), own->begin(), own->end());
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
    source what_;
    json hooks_ = json::object();
    python_file result_;
};

}  // namespace

python_file read_python_file(
    const load_request& request,
    const std::string& location,
    const std::string& name,
    const std::string& python
) {
    python_file result;
    if (!request.run_python_file) {
        result.values.errors.push_back(name + ": a Python file cannot be read here");
        return result;
    }
    const python_answer answer = request.run_python_file(
        {.location = location,
         .names = names_to_ask_for(),
         .python = python,
         .directory = request.directory,
         .command_line = command_line_of(request)}
    );
    if (!answer.problem.empty()) {
        result.values.errors.push_back(name + ": " + answer.problem);
        return result;
    }
    const json parsed = json::parse(answer.text, nullptr, false);
    if (!parsed.is_object()) {
        result.values.errors.push_back(name + ": it wrote into the answer of the program that reads it");
        return result;
    }
    return reader(location, name, source::file).run(parsed);
}

python_file read_program(const load_request& request) {
    python_question asked;
    asked.directory = request.directory;
    const python_answer answer = request.run_python_file(asked);
    const json parsed = json::parse(answer.text, nullptr, false);
    if (!parsed.is_object()) {
        python_file result;
        result.values.errors.push_back("the program: " + answer.problem);
        return result;
    }
    // The module in which what it sets can be found by the name of the setting.
    return reader("python:_unicoro.program", parsed.at("name").get<std::string>(), source::program)
        .run(parsed);
}

}  // namespace unicoro::settings
