// SPDX-License-Identifier: MIT
#include "http/http1_reader.hpp"

#include <algorithm>
#include <cstring>

namespace unicoro::http {
namespace {

// What must stay free behind a head so that chunk framing can be read without moving the head.
constexpr std::size_t room_for_framing = 2048;

}  // namespace

std::span<char> http1_reader::space() noexcept {
    return input_.compact() ? input_.space() : std::span<char>();
}

std::span<char> http1_reader::head_space() {
    if (!input_.compact()) input_.grow();
    return input_.space();
}

http1_reader::head_status http1_reader::read_head(peer sender) {
    now_.examined = input_.unread().size();
    head_status status = parser_.parse_head(input_.unread(), sender);
    if (status != head_status::complete) return status;
    if (head().framing != body_framing::none && input_.space().size() < room_for_framing) {
        // Now is the last moment to move the head.
        input_.grow();
        parser_.reset();
        status = parser_.parse_head(input_.unread(), sender);
    }
    input_.use(parser_.head_size());
    input_.pin();
    begin_body();
    return status;
}

void http1_reader::begin_body() noexcept {
    now_.body_done = head().framing == body_framing::none || (length_known() && head().content_length == 0);
    now_.continue_due = head().expects_continue && !now_.body_done;
}

http1_reader::body_step http1_reader::read_body(std::span<char> into) {
    using status = request_parser::body_status;
    while (now_.pending.empty() && !now_.body_done) {
        if (input_.empty()) return {body_status::need_more, 0};
        const auto step = parser_.decode_body(input_.unread());
        input_.use(step.consumed);
        switch (step.status) {
            case status::data: now_.pending = step.data; break;
            case status::complete: now_.body_done = true; break;
            case status::need_more: return {body_status::need_more, 0};
            case status::refused: {
                const bool too_large = refused_because().status == 413;
                return {too_large ? body_status::too_large : body_status::malformed, 0};
            }
        }
    }
    if (now_.pending.empty()) return {body_status::end, 0};
    const std::size_t count = std::min(into.size(), now_.pending.size());
    std::memcpy(into.data(), now_.pending.data(), count);
    now_.pending.remove_prefix(count);
    count_body(count);
    return {body_status::data, count};
}

// The last byte of a Content-Length body ends it: the next read must not wait for more.
void http1_reader::count_body(std::size_t count) noexcept {
    now_.received += count;
    if (length_known() && now_.received == head().content_length) now_.body_done = true;
}

std::span<char> http1_reader::body_space(std::span<char> into) noexcept {
    if (!length_known()) return space();
    return into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), body_left())));
}

std::size_t http1_reader::received_body(std::size_t count) noexcept {
    if (!length_known()) {
        input_.received(count);
        return 0;
    }
    count_body(count);
    return count;
}

std::uint64_t http1_reader::body_left() const noexcept {
    return length_known() ? head().content_length - now_.received : 0;
}

void http1_reader::next() noexcept {
    now_ = of_request();
    parser_.reset();
    input_.unpin();
}

void http1_reader::clear() {
    next();
    input_.clear();
}

}  // namespace unicoro::http
