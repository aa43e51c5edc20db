// SPDX-License-Identifier: MIT
#include "settings/resolver.hpp"

#include "base/text.hpp"

namespace unicoro::settings {

std::string origin::where(std::string_view part) const {
    std::string text = source + ": " + place;
    if (in_json) text += part;
    return text;
}

void resolver::apply(const layer& from) {
    errors_.insert(errors_.end(), from.errors.begin(), from.errors.end());
    for (const assignment& given : from.values) apply(given);
}

void resolver::apply(const assignment& given) {
    json value;
    std::vector<fault> faults;
    given.row->type->read(given.value, value, faults);
    for (const fault& each : faults) {
        errors_.push_back(given.from.where(each.path) + ": " + each.text);
    }
    if (!faults.empty()) return;
    // Only `workers` knows a word that stands for a number.
    if (given.row->name == "workers" && value.is_string()) value = count_cpus_();
    if (!permitted(given, value)) return;
    std::string text = given.value.is_string() ? given.value.get<std::string>() : std::string();
    values_[given.row] = {std::move(value), std::move(text), given.from};
}

bool resolver::permitted(const assignment& given, const json& value) {
    const setting& row = *given.row;
    if (row.not_yet != nullptr) {
        server_settings probe;
        row.kept.store(probe, value);
        const auto remedy = row.not_yet(probe);
        if (remedy.empty()) return true;
        const std::string written =
            base::printable(given.value.dump(-1, ' ', false, json::error_handler_t::replace));
        errors_.push_back(
            given.from.where() + " " + written + " is not available yet: " + std::string(remedy)
        );
        return false;
    }
    if (row.status == availability::now) return true;
    json harmless;
    default_value(row, harmless);
    if (value == harmless) return true;
    const std::string remark{row.remark};
    switch (row.status) {
        case availability::not_yet:
            errors_.push_back(given.from.where() + " is not available yet: " + remark);
            break;
        case availability::refused: errors_.push_back(given.from.where() + " is refused: " + remark); break;
        case availability::meaningless:
            warnings_.push_back(given.from.where() + " has no meaning here: " + remark + "; remove it");
            break;
        case availability::now: break;
    }
    return false;
}

server_settings resolver::settings() const {
    server_settings result;
    for (const auto& [row, value] : values_) {
        if (row->kept) row->kept.store(result, value.value);
    }
    return result;
}

const json* resolver::written(const setting& row) const {
    const auto found = values_.find(&row);
    return found == values_.end() ? nullptr : &found->second.value;
}

std::string resolver::spelled(const setting& row) const {
    const auto found = values_.find(&row);
    return found == values_.end() ? std::string() : found->second.text;
}

std::string resolver::where(std::string_view name) const {
    const auto found = values_.find(find_setting(name));
    return found == values_.end() ? std::string(name) : found->second.from.where();
}

}  // namespace unicoro::settings
