// SPDX-License-Identifier: MIT
#include "http/websocket_codec.hpp"

#include <algorithm>
#include <cstring>

namespace unicoro::http {
namespace {

constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t control_bit = 0x08;
constexpr std::uint8_t masked_bit = 0x80;
constexpr std::uint8_t length_bits = 0x7F;
constexpr std::uint8_t length_of_16_bits = 126;
constexpr std::uint8_t length_of_64_bits = 127;
constexpr std::size_t mask_size = 4;

constexpr std::uint16_t protocol_error = 1002;
constexpr std::uint16_t no_code = 1005;
constexpr std::uint16_t invalid_payload = 1007;
constexpr std::uint16_t message_too_big = 1009;

// Shorter messages are not worth the work.
constexpr std::size_t least_compressed = 64;

// How far ahead of the bytes a frame's announcement is believed.
constexpr std::size_t room_ahead = 64 * 1024;

}  // namespace

websocket_decoder::websocket_decoder(
    std::uint64_t message_limit, const std::optional<deflate_agreement>& deflate
)
    : limit_(message_limit) {
    if (deflate) inflater_.emplace(*deflate);
}

bool websocket_decoder::fail(std::uint16_t code) noexcept {
    code_ = code;
    return false;
}

std::string_view websocket_decoder::payload() const noexcept {
    const std::string_view all(control_.data(), control_size_);
    return opcode_ == websocket_opcode::close ? all.substr(std::min<std::size_t>(2, all.size())) : all;
}

websocket_event websocket_decoder::next(std::span<char>& input) {
    code_ = 0;
    for (;;) {
        if (!in_payload_ && !take_head(input)) {
            return code_ == 0 ? websocket_event::none : websocket_event::failure;
        }
        const bool control = (static_cast<std::uint8_t>(opcode_) & control_bit) != 0;
        const websocket_event event = control ? take_control(input) : take_data(input);
        if (event != websocket_event::none || in_payload_) return event;
    }
}

std::size_t websocket_decoder::head_wanted() const noexcept {
    if (head_size_ < 2) return 2;
    const unsigned length = head_[1] & length_bits;
    const std::size_t more = length == length_of_16_bits ? 2 : length == length_of_64_bits ? 8 : 0;
    return 2 + more + mask_size;
}

bool websocket_decoder::take_head(std::span<char>& input) {
    while (head_size_ < head_wanted()) {
        if (input.empty()) return false;
        head_[head_size_++] = static_cast<unsigned char>(input.front());
        input = input.subspan(1);
        if (head_size_ == 2 && !valid_start()) return fail(protocol_error);
    }
    head_size_ = 0;
    return begin_frame();
}

// Of what its first two bytes say.
bool websocket_decoder::valid_start() const noexcept {
    const unsigned reserved = head_[0] & reserved_bits;
    const bool final = (head_[0] & websocket_final) != 0;
    if ((head_[1] & masked_bit) == 0) return false;
    switch (static_cast<websocket_opcode>(head_[0] & 0x0FU)) {
        case websocket_opcode::continuation: return in_message_ && reserved == 0;
        case websocket_opcode::text:
        case websocket_opcode::binary:
            return !in_message_ && (reserved == 0 || (reserved == websocket_compressed && inflater_));
        case websocket_opcode::close:
        case websocket_opcode::ping:
        case websocket_opcode::pong:
            return final && reserved == 0 && (head_[1] & length_bits) < length_of_16_bits;
    }
    return false;
}

bool websocket_decoder::begin_frame() {
    final_ = (head_[0] & websocket_final) != 0;
    opcode_ = static_cast<websocket_opcode>(head_[0] & 0x0FU);
    left_ = head_[1] & length_bits;
    std::size_t at = 2;
    if (left_ >= length_of_16_bits) {
        const bool wide = left_ == length_of_64_bits;
        left_ = 0;
        for (const std::size_t end = wide ? 10 : 4; at < end; ++at) left_ = left_ << 8U | head_[at];
        if (left_ < (wide ? 0x10000U : length_of_16_bits)) return fail(protocol_error);
    }
    std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(at), mask_size, mask_.begin());
    in_payload_ = true;
    if ((static_cast<std::uint8_t>(opcode_) & control_bit) != 0) {
        control_size_ = 0;
        return true;
    }
    if (opcode_ != websocket_opcode::continuation) {
        in_message_ = true;
        text_ = opcode_ == websocket_opcode::text;
        compressed_ = (head_[0] & websocket_compressed) != 0;
        message_.clear();
        utf8_ = utf8_checker();
    }
    if (!compressed_ && limit_ != 0 && left_ > limit_ - message_.size()) return fail(message_too_big);
    return left_ >> 63U == 0 || fail(protocol_error);
}

websocket_event websocket_decoder::take_control(std::span<char>& input) {
    const std::size_t size = std::min<std::size_t>(input.size(), left_);
    std::copy_n(input.begin(), size, control_.begin() + control_size_);
    unmask(std::span(control_).subspan(control_size_, size));
    control_size_ = static_cast<std::uint8_t>(control_size_ + size);
    input = input.subspan(size);
    left_ -= size;
    if (left_ > 0) return websocket_event::none;
    in_payload_ = false;
    if (opcode_ == websocket_opcode::ping) return websocket_event::ping;
    if (opcode_ == websocket_opcode::pong) return websocket_event::pong;
    return read_close() ? websocket_event::close : websocket_event::failure;
}

bool websocket_decoder::read_close() {
    code_ = no_code;
    if (control_size_ == 0) return true;
    if (control_size_ == 1) return fail(protocol_error);
    const unsigned high = static_cast<unsigned char>(control_[0]);
    const unsigned low = static_cast<unsigned char>(control_[1]);
    code_ = static_cast<std::uint16_t>(high << 8U | low);
    utf8_checker reason;
    return (is_close_code(code_) && reason.take(payload()) && reason.whole()) || fail(protocol_error);
}

websocket_event websocket_decoder::take_data(std::span<char>& input) {
    const std::span<char> piece = input.first(std::min<std::size_t>(input.size(), left_));
    input = input.subspan(piece.size());
    unmask(piece);
    left_ -= piece.size();
    const bool ends = left_ == 0;
    if (!take_payload({piece.data(), piece.size()}, ends && final_)) return websocket_event::failure;
    in_payload_ = !ends;
    if (!ends || !final_) return websocket_event::none;
    in_message_ = false;
    return websocket_event::message;
}

bool websocket_decoder::take_payload(std::string_view piece, bool last) {
    using outcome = websocket_inflater::outcome;
    const std::size_t before = message_.size();
    if (compressed_) {
        outcome inflated = inflater_->inflate(piece, limit_, message_);
        if (inflated == outcome::done && last) inflated = inflater_->finish(limit_, message_);
        if (inflated == outcome::too_long) return fail(message_too_big);
        if (inflated == outcome::invalid) return fail(invalid_payload);
    } else {
        make_room(piece.size());
        message_.append(piece);
    }
    if (!text_) return true;
    const bool valid = utf8_.take(std::string_view(message_).substr(before)) && (!last || utf8_.whole());
    return valid || fail(invalid_payload);
}

// For what comes now, and some of what the frame announces: a message in one frame fits exactly.
void websocket_decoder::make_room(std::size_t size) {
    const std::size_t used = message_.size();
    if (used + size <= message_.capacity()) return;
    const std::uint64_t ahead = std::min<std::uint64_t>(left_, std::max(used, room_ahead));
    message_.reserve(used + size + static_cast<std::size_t>(ahead));
}

void websocket_decoder::unmask(std::span<char> bytes) noexcept {
    std::uint64_t eight = 0;
    std::array<unsigned char, 8> key;
    for (std::size_t at = 0; at < key.size(); ++at) key[at] = mask_[at % mask_size];
    std::uint64_t keys = 0;
    std::memcpy(&keys, key.data(), sizeof keys);
    char* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= sizeof eight; left -= sizeof eight, at += sizeof eight) {
        std::memcpy(&eight, at, sizeof eight);
        eight ^= keys;
        std::memcpy(at, &eight, sizeof eight);
    }
    for (std::size_t i = 0; i < left; ++i) {
        at[i] = static_cast<char>(static_cast<unsigned char>(at[i]) ^ key[i]);
    }
    std::rotate(mask_.begin(), mask_.begin() + static_cast<std::ptrdiff_t>(left % mask_size), mask_.end());
}

websocket_encoder::websocket_encoder(const std::optional<deflate_agreement>& deflate) {
    if (deflate) deflater_.emplace(*deflate);
}

auto websocket_encoder::next(std::string& out, websocket_opcode opcode, std::string_view message) -> frame {
    if (!deflater_ || message.size() < least_compressed) {
        append_websocket_head(out, websocket_final, opcode, message.size());
        return {message, true};
    }
    std::string_view left = message.substr(used_);
    std::string compressed;
    const bool last = deflater_->compress(left, compressed);
    const auto bits =
        static_cast<std::uint8_t>((last ? websocket_final : 0U) | (begun_ ? 0U : websocket_compressed));
    append_websocket_head(out, bits, begun_ ? websocket_opcode::continuation : opcode, compressed.size());
    out.append(compressed);
    used_ = last ? 0 : message.size() - left.size();
    begun_ = !last;
    return {{}, last};
}

}  // namespace unicoro::http
