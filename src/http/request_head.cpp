// SPDX-License-Identifier: MIT
#include "http/request_head.hpp"

#include "http/chars.hpp"

#include <cstddef>

namespace unicoro::http {

bool iequals(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (to_lower(a[i]) != to_lower(b[i])) return false;
    }
    return true;
}

std::optional<std::string_view> request_head::find(std::string_view name) const noexcept {
    for (const field& f : fields) {
        if (iequals(f.name, name)) return f.value;
    }
    return std::nullopt;
}

}  // namespace unicoro::http
