// SPDX-License-Identifier: MIT
#include "http/utf8_checker.hpp"

#include <cstring>

namespace unicoro::http {
namespace {

constexpr std::uint8_t first_continuation = 0x80;
constexpr std::uint8_t last_continuation = 0xBF;

const char* skip_ascii(const char* at, const char* end) noexcept {
    std::uint64_t eight = 0;
    while (end - at >= 8) {
        std::memcpy(&eight, at, sizeof eight);
        if ((eight & 0x8080808080808080U) != 0) break;
        at += sizeof eight;
    }
    while (at != end && static_cast<unsigned char>(*at) < 0x80) ++at;
    return at;
}

}  // namespace

bool utf8_checker::begin(unsigned char lead) noexcept {
    if (lead < 0xC2 || lead > 0xF4) return false;
    lowest_ = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : first_continuation;
    highest_ = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : last_continuation;
    missing_ = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    return true;
}

bool utf8_checker::take(std::string_view piece) noexcept {
    const char* at = piece.data();
    const char* const end = at + piece.size();
    while (at != end) {
        if (missing_ == 0) {
            at = skip_ascii(at, end);
            if (at == end) break;
            if (!begin(static_cast<unsigned char>(*at))) return false;
        } else {
            const auto byte = static_cast<unsigned char>(*at);
            if (byte < lowest_ || byte > highest_) return false;
            lowest_ = first_continuation;
            highest_ = last_continuation;
            --missing_;
        }
        ++at;
    }
    return true;
}

}  // namespace unicoro::http
