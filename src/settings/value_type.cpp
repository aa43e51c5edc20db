// SPDX-License-Identifier: MIT
#include "settings/value_type.hpp"

#include "base/text.hpp"

#include <nlohmann/json.hpp>

namespace unicoro::settings {

std::vector<std::string_view> value_type::words() const {
    return {};
}

void value_type::settle(json& /*value*/, const std::function<int()>& /*count_cpus*/) const {}

std::string_view value_type::advice() const {
    return {};
}

ordered_json value_type::filed(const json& value) const {
    return value;
}

bool value_type::may_be_named() const {
    return false;
}

bool value_type::names_class(const json& /*written*/) const {
    return false;
}

void value_type::adopt(
    json& /*written*/,
    const std::string& /*where*/,
    const json& /*lineage*/,
    std::vector<std::string>& /*warnings*/,
    std::vector<std::string>& /*errors*/
) const {}

bool value_type::accepts(const json& written) const {
    json canonical;
    std::vector<fault> faults;
    read(written, canonical, faults);
    return faults.empty();
}

fault rejected(const json& written, const std::string& rule, std::string path) {
    // Bytes that are not UTF-8 can come from the command line; dump() must not throw for them.
    const std::string shown = written.dump(-1, ' ', false, json::error_handler_t::replace);
    return {std::move(path), "must be " + rule + ", not " + base::printable(shown)};
}

std::string in_any_case(const std::vector<std::string_view>& words) {
    std::string pattern = R"(^\s*()";
    for (const std::string_view word : words) {
        if (word != words.front()) pattern += '|';
        for (const char letter : base::to_lower(word)) {
            pattern += '[';
            if (letter >= 'a' && letter <= 'z') pattern += static_cast<char>(letter - 'a' + 'A');
            pattern += letter;
            pattern += ']';
        }
    }
    return pattern + R"()\s*$)";
}

}  // namespace unicoro::settings
