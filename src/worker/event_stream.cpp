// SPDX-License-Identifier: MIT
#include "worker/event_stream.hpp"

#include "http/chars.hpp"

#include <algorithm>
#include <cstddef>

namespace unicoro::worker {
namespace {

bool is_event_stream(std::string_view content_type) noexcept {
    constexpr std::string_view type = "text/event-stream";
    const std::string_view rest = content_type.substr(std::min(type.size(), content_type.size()));
    const bool whole = rest.empty() || rest.front() == ';' || rest.front() == ' ';
    return whole && http::iequals(content_type.substr(0, type.size()), type);
}

// The longest blank line behind a line, with any of the ends of lines that the format knows.
constexpr std::size_t tail_size = 4;

}  // namespace

event_stream_kind event_stream_of(const http::response_head& head) noexcept {
    event_stream_kind kind;
    for (std::size_t at = 0; at < head.field_count(); ++at) {
        const http::field each = head.field_at(at);
        if (http::iequals(each.name, "Content-Type")) kind.events = is_event_stream(each.value);
        if (http::iequals(each.name, "Content-Encoding"))
            kind.encoded = !http::iequals(each.value, "identity");
    }
    return kind;
}

bool ends_event(std::string& tail, std::string_view piece) {
    tail.append(piece.substr(piece.size() - std::min(piece.size(), tail_size)));
    tail.erase(0, tail.size() - std::min(tail.size(), tail_size));
    return tail.ends_with("\n\n") || tail.ends_with("\r\n\r\n") || tail.ends_with("\r\r");
}

}  // namespace unicoro::worker
