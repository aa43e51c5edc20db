// SPDX-License-Identifier: MIT
#include "http/refusal.hpp"

#include <cstddef>

namespace unicoro::http {
namespace {

constexpr std::size_t clip_length = 80;

}  // namespace

bool refuse(refusal& why, int status, std::string_view rule) {
    why.status = status;
    why.detail.assign(rule);
    return false;
}

bool refuse(refusal& why, int status, std::string_view rule, std::string_view value) {
    refuse(why, status, rule);
    why.detail.append(": ").append(quoted(value));
    return false;
}

bool refuse_over(
    refusal& why, int status, std::string_view what, std::string_view setting, std::size_t limit
) {
    refuse(why, status, what);
    why.detail.append(" (").append(setting).append(" is ").append(std::to_string(limit)).append(")");
    return false;
}

std::string quoted(std::string_view bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    const bool clipped = bytes.size() > clip_length;
    std::string out = "\"";
    for (const char byte : bytes.substr(0, clip_length)) {
        if (byte == '"' || byte == '\\') {
            out.push_back('\\');
            out.push_back(byte);
        } else if (byte >= ' ' && byte <= '~') {
            out.push_back(byte);
        } else {
            const auto code = static_cast<unsigned char>(byte);
            out.append("\\x");
            out.push_back(digits[code >> 4U]);
            out.push_back(digits[code & 15U]);
        }
    }
    out.append(clipped ? "...\"" : "\"");
    return out;
}

}  // namespace unicoro::http
