// SPDX-License-Identifier: MIT
#include "settings/resolver.hpp"

namespace unicoro::settings {

const json* last_value(std::span<layer* const> layers, std::string_view key) {
    const setting* const row = find_setting(key);
    const json* found = nullptr;
    for (const layer* each : layers) {
        for (const assignment& given : each->values) {
            if (given.row == row) found = &given.value;
        }
    }
    return found;
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
    given.row->type->settle(value, count_cpus_);
    if (!permitted(given, value)) return;
    effective& kept = values_[given.row] = {std::move(value), given.from};
    if (given.value.is_string()) kept.from.text = given.value.get<std::string>();
}

bool resolver::permitted(const assignment& given, const json& value) {
    const setting& row = *given.row;
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
        if (row->kept) row->kept.store(result, value.value, value.from);
    }
    return result;
}

const json* resolver::written(const setting& row) const {
    const auto found = values_.find(&row);
    return found == values_.end() ? nullptr : &found->second.value;
}

std::string resolver::where(std::string_view name) const {
    const auto found = values_.find(find_setting(name));
    return found == values_.end() ? std::string(name) : found->second.from.where();
}

}  // namespace unicoro::settings
