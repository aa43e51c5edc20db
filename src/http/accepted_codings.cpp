// SPDX-License-Identifier: MIT
#include "http/accepted_codings.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace unicoro::http {
namespace {

// Of "gzip;q=0.5" what follows the semicolon; what cannot be read forbids.
double weight_in(std::string_view parameters) noexcept {
    const std::string_view text = base::trim(parameters);
    if (text.empty()) return 1;
    if (text.size() < 3 || !iequals(text.substr(0, 2), "q=")) return 0;
    return std::min(base::parse_decimal(text.substr(2)).value_or(0), 1.0);
}

using weights = std::vector<std::pair<std::string, double>>;

weights read_weights(const request_head& head) {
    weights found;
    for (const field& each : head.fields) {
        if (!iequals(each.name, "Accept-Encoding")) continue;
        for (const std::string& item : base::split_list(each.value)) {
            const std::string_view text = item;
            const std::size_t semicolon = std::min(text.find(';'), text.size());
            const std::string_view parameters = text.substr(std::min(semicolon + 1, text.size()));
            found.emplace_back(base::trim(text.substr(0, semicolon)), weight_in(parameters));
        }
    }
    return found;
}

double weight_of(const weights& told, std::string_view coding) noexcept {
    std::optional<double> any;
    for (const auto& [name, weight] : told) {
        if (iequals(name, coding)) return weight;
        if (name == "*") any = weight;
    }
    return any.value_or(0);
}

}  // namespace

std::vector<std::string_view> accepted_codings(
    const request_head& head, std::span<const std::string_view> known
) {
    const weights told = read_weights(head);
    std::vector<std::string_view> accepted;
    for (const std::string_view each : known) {
        if (weight_of(told, each) > 0) accepted.push_back(each);
    }
    std::ranges::stable_sort(accepted, std::ranges::greater{}, [&told](std::string_view each) {
        return weight_of(told, each);
    });
    return accepted;
}

}  // namespace unicoro::http
