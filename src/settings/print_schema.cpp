// SPDX-License-Identifier: MIT
#include "settings/print.hpp"
#include "settings/setting.hpp"

#include <nlohmann/json.hpp>

namespace unicoro::settings {
namespace {

std::string description(const setting& row) {
    std::string text{row.help};
    text += '.';
    switch (row.status) {
        case availability::now: break;
        case availability::not_yet: text += " Not available yet: "; break;
        case availability::meaningless: text += " Has no meaning here: "; break;
        case availability::refused: text += " Refused: "; break;
    }
    if (row.status != availability::now) text += std::string(row.remark) + ".";
    return text;
}

ordered_json property(const setting& row) {
    ordered_json schema;
    schema["description"] = description(row);
    json initial;
    default_value(row, initial);
    if (row.status == availability::now) {
        row.type->describe(schema);
    } else {
        // The one value that is accepted, so that an editor underlines every other.
        schema["const"] = initial;
        schema["deprecated"] = true;
    }
    // A default that depends on the environment is no constant an editor should fill in.
    if (row.default_note.empty()) schema["default"] = initial;
    return schema;
}

}  // namespace

std::string print_schema() {
    ordered_json schema;
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
    schema["title"] = "Unicoro settings";
    schema["description"] = "The settings file of the Unicoro application server (unicoro -c FILE).";
    schema["type"] = "object";
    schema["additionalProperties"] = false;
    ordered_json& properties = schema["properties"];
    properties["$schema"] = {{"description", "Where editors find this schema."}, {"type", "string"}};
    for (const setting& row : all_settings()) {
        if (row.scope == scope::command_line) continue;
        properties[std::string(row.name)] = property(row);
        if (!row.other_name.empty()) {
            ordered_json second = property(row);
            second["description"] = "The same as " + std::string(row.name) + ", by gunicorn's name.";
            properties[std::string(row.other_name)] = std::move(second);
        }
    }
    return schema.dump(2) + "\n";
}

}  // namespace unicoro::settings
