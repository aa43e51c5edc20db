// SPDX-License-Identifier: MIT
#include "monitor/query.hpp"

#include <algorithm>

namespace unicoro::monitor {

std::optional<std::string_view> parameter(std::string_view query, std::string_view name) noexcept {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view one = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=') {
            return one.substr(name.size() + 1);
        }
    }
    return std::nullopt;
}

}  // namespace unicoro::monitor
