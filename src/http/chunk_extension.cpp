// SPDX-License-Identifier: MIT
#include "http/chars.hpp"
#include "http/chunk_decoder.hpp"

namespace unicoro::http {

bool chunk_extension::may_end() const noexcept {
    return state_ == state::outside || state_ == state::name || state_ == state::value;
}

bool chunk_extension::take_between(char byte, bool may_have_value) noexcept {
    if (byte == ';') {
        state_ = state::before_name;
    } else if (byte == '=' && may_have_value) {
        state_ = state::before_value;
    } else if (byte == ' ' || byte == '\t') {
        state_ = may_have_value ? state::after_name : state::before_mark;
    } else {
        return false;
    }
    return true;
}

bool chunk_extension::take(char byte) noexcept {
    const bool blank = byte == ' ' || byte == '\t';
    switch (state_) {
        case state::outside:
        case state::before_mark: return take_between(byte, false);
        case state::after_name: return take_between(byte, true);
        case state::name: return is(byte_class::token, byte) || take_between(byte, true);
        case state::value: return is(byte_class::token, byte) || take_between(byte, false);
        case state::before_name:
            if (blank) return true;
            state_ = state::name;
            return is(byte_class::token, byte);
        case state::before_value:
            if (blank) return true;
            state_ = byte == '"' ? state::quoted : state::value;
            return byte == '"' || is(byte_class::token, byte);
        case state::quoted:
            if (byte == '"') state_ = state::outside;
            if (byte == '\\') state_ = state::quoted_pair;
            return is(byte_class::content, byte);
        case state::quoted_pair: state_ = state::quoted; return is(byte_class::content, byte);
    }
    return false;
}

}  // namespace unicoro::http
