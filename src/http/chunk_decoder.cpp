// SPDX-License-Identifier: MIT
#include "http/chunk_decoder.hpp"

#include "http/chars.hpp"
#include "http/request_head.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace unicoro::http {
namespace {

// What frames, routes or authenticates a request. All shorter than what is kept of a name.
constexpr std::array<std::string_view, 10> never_trailers = {
    "Authorization",
    "Connection",
    "Content-Length",
    "Expect",
    "Host",
    "Proxy-Authorization",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade"
};

// Sixteen digits hold any size; a few leading zeros more are legal, a stream of them is an attack.
constexpr std::size_t most_digits = 32;

// Extensions of one body together. Nobody uses them, but one on each tiny chunk multiplies the
// work.
constexpr std::size_t most_extension_bytes = 16384;

std::uint64_t hex_value(char digit) noexcept {
    if (digit <= '9') return static_cast<std::uint64_t>(digit - '0');
    return static_cast<std::uint64_t>(to_lower(digit) - 'a') + 10;
}

}  // namespace

void chunk_decoder::begin(std::uint64_t body_limit, std::size_t trailer_limit) noexcept {
    *this = {};
    limit_ = body_limit;
    trailer_room_ = trailer_limit;
    extension_room_ = most_extension_bytes;
}

chunk_decoder::step chunk_decoder::decode(std::string_view input, refusal& why) {
    std::size_t at = 0;
    for (;;) {
        if (state_ == state::complete) return {status::complete, at, {}};
        if (at == input.size()) return {status::need_more, at, {}};
        if (state_ == state::data) {
            const std::size_t count = std::min<std::uint64_t>(remaining_, input.size() - at);
            remaining_ -= count;
            if (remaining_ == 0) state_ = state::data_cr;
            return {status::data, at + count, input.substr(at, count)};
        }
        if (!take(input[at], why)) return {status::refused, at, {}};
        ++at;
    }
}

bool chunk_decoder::expect(char byte, char wanted, state next, refusal& why) {
    if (byte != wanted) {
        return refuse(why, 400, "Invalid chunk: CRLF is missing (RFC 9112, 7.1)", std::string_view(&byte, 1));
    }
    state_ = next;
    return true;
}

bool chunk_decoder::take(char byte, refusal& why) {
    switch (state_) {
        case state::size_first:
        case state::size: return take_size(byte, why);
        case state::extension: return take_extension(byte, why);
        case state::size_lf: return expect(byte, '\n', state::size_lf, why) && end_size_line(why);
        case state::data_cr: return expect(byte, '\r', state::data_lf, why);
        case state::data_lf: return expect(byte, '\n', state::size_first, why);
        case state::last_lf: return expect(byte, '\n', state::complete, why);
        case state::trailer_first:
        case state::trailer_name:
        case state::trailer_value:
        case state::trailer_lf: return take_trailer(byte, why);
        case state::data:
        case state::complete: break;
    }
    return false;
}

bool chunk_decoder::take_size(char byte, refusal& why) {
    if (state_ == state::size_first) {
        remaining_ = 0;
        digits_ = 0;
        extension_ = {};
        state_ = state::size;
        if (!is(byte_class::hex, byte)) {
            return refuse(why, 400, "Invalid chunk size (RFC 9112, 7.1)", std::string_view(&byte, 1));
        }
    }
    if (is(byte_class::hex, byte)) return take_digit(byte, why);
    state_ = state::extension;
    return take_extension(byte, why);
}

bool chunk_decoder::take_digit(char byte, refusal& why) {
    if (++digits_ > most_digits || remaining_ > std::numeric_limits<std::uint64_t>::max() / 16) {
        return refuse(why, 400, "Invalid chunk size: too large (RFC 9112, 7.1)");
    }
    remaining_ = remaining_ * 16 + hex_value(byte);
    return true;
}

bool chunk_decoder::take_extension(char byte, refusal& why) {
    if (byte == '\r' && extension_.may_end()) {
        state_ = state::size_lf;
        return true;
    }
    if (!extension_.take(byte)) {
        return refuse(
            why, 400, "Invalid chunk size or extension (RFC 9112, 7.1)", std::string_view(&byte, 1)
        );
    }
    if (extension_room_ == 0) {
        return refuse_over(
            why, 400, "The chunk extensions are too long", "their limit", most_extension_bytes
        );
    }
    --extension_room_;
    return true;
}

bool chunk_decoder::end_size_line(refusal& why) {
    if (remaining_ == 0) {
        state_ = state::trailer_first;
        return true;
    }
    if (limit_ != 0 && remaining_ > limit_ - total_) {
        return refuse_over(why, 413, "The request body is too large", "limit_request_body", limit_);
    }
    total_ += remaining_;
    state_ = state::data;
    return true;
}

bool chunk_decoder::take_trailer(char byte, refusal& why) {
    if (state_ == state::trailer_first && byte == '\r') {
        state_ = state::last_lf;
        return true;
    }
    if (trailer_room_ == 0) {
        return refuse(why, 400, "The trailer fields are larger than limit_request_field_size");
    }
    --trailer_room_;
    bool valid = true;
    switch (state_) {
        case state::trailer_first:
            valid = is(byte_class::token, byte);
            name_size_ = 0;
            note_name(byte);
            state_ = state::trailer_name;
            break;
        case state::trailer_name:
            if (byte == ':') {
                state_ = state::trailer_value;
                return end_name(why);
            }
            valid = is(byte_class::token, byte);
            note_name(byte);
            break;
        case state::trailer_value:
            valid = byte == '\r' || is(byte_class::content, byte);
            if (byte == '\r') state_ = state::trailer_lf;
            break;
        default: return expect(byte, '\n', state::trailer_first, why);
    }
    if (valid) return true;
    return refuse(why, 400, "Invalid trailer field (RFC 9112, 7.1.2)", std::string_view(&byte, 1));
}

void chunk_decoder::note_name(char byte) noexcept {
    if (name_size_ < name_.size()) name_[name_size_++] = byte;
}

bool chunk_decoder::end_name(refusal& why) const {
    const std::string_view name(name_.data(), name_size_);
    const bool forbidden = std::any_of(
        never_trailers.begin(), never_trailers.end(), [name](std::string_view n) { return iequals(n, name); }
    );
    if (!forbidden) return true;
    return refuse(why, 400, "Invalid trailer: the field belongs to the head (RFC 9110, 6.5.1)", name);
}

}  // namespace unicoro::http
