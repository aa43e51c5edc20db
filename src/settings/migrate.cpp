// SPDX-License-Identifier: MIT
#include "settings/migrate.hpp"

#include "settings/foreign_classes.hpp"
#include "settings/python_file.hpp"
#include "settings/resolver.hpp"

#include <array>

namespace unicoro::settings {
migration migrate(const load_request& request, const std::string& location) {
    migration result;
    const std::string place = python_location(request, location);
    const std::string name = location.starts_with("file:") ? location.substr(5) : location;
    if (name.ends_with(".json")) {
        result.errors.push_back(name + ": is not a settings file of gunicorn, which is a Python file");
        return result;
    }
    python_file read = read_python_file(request, place, name, {});
    if (!read.values.errors.empty() && read.values.values.empty()) {
        result.errors = read.values.errors;
        return result;
    }
    adopt_named_classes(request, std::array{&read.values}, read.warnings);
    resolver checked(request.count_cpus);
    checked.apply(read.values);
    ordered_json document;
    for (const setting& row : all_settings()) {
        if (const json* const value = checked.written(row)) {
            document[std::string(row.name)] = row.type->filed(*value);
        }
    }
    if (document.is_null()) document = ordered_json::object();
    result.json = document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
    for (const std::string& each : read.left_out) result.notes.push_back("left out: " + each);
    for (const std::string& each : checked.errors()) result.notes.push_back("left out: " + each);
    for (const std::string& each : checked.warnings()) result.notes.push_back("left out: " + each);
    for (const std::string& each : read.computed) result.notes.push_back(name + ": worked out: " + each);
    for (const std::string& each : read.warnings) result.notes.push_back(each);
    if (read.has_effects) {
        result.notes.push_back(
            name +
            ": it does more than set variables (it imports packages, or sets up logging): put what the "
            "application needs of that into a module of its own"
        );
    }
    return result;
}

}  // namespace unicoro::settings
