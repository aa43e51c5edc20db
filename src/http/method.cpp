// SPDX-License-Identifier: MIT
#include "http/method.hpp"

#include "http/chars.hpp"

#include <algorithm>

namespace unicoro::http {

bool accept_method(std::string_view method, const policy& rules, refusal& why) {
    if (rules.permit_unconventional_http_method) return true;
    const auto odd = [](char byte) { return is(byte_class::lower, byte) || byte == '#'; };
    if (method.size() < 3 || method.size() > 20 || std::any_of(method.begin(), method.end(), odd)) {
        return refuse(
            why,
            400,
            "Invalid method: not 3 to 20 bytes without a-z and # "
            "(permit_unconventional_http_method is false)",
            method
        );
    }
    return true;
}

}  // namespace unicoro::http
