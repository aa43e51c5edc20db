// SPDX-License-Identifier: MIT
#include "http2/callbacks.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>

namespace unicoro::http2 {
namespace {

constexpr int failed = NGHTTP2_ERR_CALLBACK_FAILURE;
constexpr int stream_failed = NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;

// Of PINGs the one that is asked whether the end was heard of.
constexpr std::array<std::uint8_t, 8> end_ping = {'u', 'n', 'i', 'c', 'o', 'r', 'o', '.'};

session& session_of(void* self) noexcept {
    return *static_cast<session*>(self);
}

stream* stream_of(nghttp2_session* native, std::int32_t id) noexcept {
    return static_cast<stream*>(nghttp2_session_get_stream_user_data(native, id));
}

std::string_view text(const std::uint8_t* bytes, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(bytes), size};
}

bool is_request(const nghttp2_frame& frame) noexcept {
    return frame.hd.type == NGHTTP2_HEADERS && frame.headers.cat == NGHTTP2_HCAT_REQUEST;
}

bool ends_stream(const nghttp2_frame& frame) noexcept {
    return (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

// A client that does right cannot have such a reset.
bool answers_error(const nghttp2_frame& frame) noexcept {
    if (frame.hd.type != NGHTTP2_RST_STREAM) return false;
    const std::uint32_t why = frame.rst_stream.error_code;
    return why != NGHTTP2_NO_ERROR && why != NGHTTP2_CANCEL && why != NGHTTP2_INTERNAL_ERROR;
}

}  // namespace

int callbacks::begin_head(nghttp2_session* native, const nghttp2_frame* frame, void* self) noexcept {
    if (!is_request(*frame)) return 0;
    session& own = session_of(self);
    try {
        stream* const begun = own.user_.begin_stream(frame->hd.stream_id);
        if (begun == nullptr) {
            nghttp2_submit_rst_stream(native, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
            return 0;
        }
        nghttp2_session_set_stream_user_data(native, frame->hd.stream_id, begun);
        own.coming_ = begun;
        return 0;
    } catch (const std::exception&) {
        return failed;
    }
}

int callbacks::field(
    nghttp2_session* native,
    const nghttp2_frame* frame,
    const std::uint8_t* name,
    std::size_t name_size,
    const std::uint8_t* value,
    std::size_t value_size,
    std::uint8_t,
    void* self
) noexcept {
    session& own = session_of(self);
    stream* const which = stream_of(native, frame->hd.stream_id);
    try {
        if (which == nullptr) {
            // Of one that was refused: its fields are read all the same, for what they say of later ones.
            return 0;
        }
        if (!is_request(*frame)) {
            // Trailers are dropped, as those of HTTP/1.1 are (RFC 9110, 6.5.1).
            which->trailer_size_ += name_size + value_size + 32;
            if (which->trailer_size_ <= own.bounds_.max_header_list_size) return 0;
            nghttp2_submit_rst_stream(
                native, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_ENHANCE_YOUR_CALM
            );
            return stream_failed;
        }
        which->request_.add(text(name, name_size), text(value, value_size));
        if (which->request_.is_flood()) {
            return own.give_up("a request head of more than 4 times http2_max_header_list_size");
        }
        return 0;
    } catch (const std::exception&) {
        return failed;
    }
}

// RFC 9113, 8.2.1. Left to itself nghttp2 would pass over the field.
int callbacks::
    invalid_field(nghttp2_session* native, const nghttp2_frame* frame, const std::uint8_t*, std::size_t, const std::uint8_t*, std::size_t, std::uint8_t, void*) noexcept {
    nghttp2_submit_rst_stream(native, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_PROTOCOL_ERROR);
    return stream_failed;
}

void callbacks::head_whole(session& own, stream& which, const nghttp2_frame& frame) {
    using body = http::http2_request::body;
    own.coming_ = nullptr;
    which.head_whole_ = true;
    which.refused_ =
        !which.request_.finish(own.fields_, own.sender_, ends_stream(frame) ? body::none : body::follows);
    which.input_ended_ = ends_stream(frame);
    own.user_.head_came(which);
}

int callbacks::control_came(session& own, const nghttp2_frame& frame) {
    burden what{};
    switch (frame.hd.type) {
        case NGHTTP2_RST_STREAM: what = burden::reset; break;
        case NGHTTP2_SETTINGS:
            own.met_ = true;
            what = burden::settings;
            break;
        case NGHTTP2_PING:
            if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) {
                const auto& said = frame.ping.opaque_data;
                if (std::equal(end_ping.begin(), end_ping.end(), std::begin(said))) own.user_.end_announced();
                return 0;
            }
            what = burden::ping;
            break;
        case NGHTTP2_WINDOW_UPDATE: what = burden::window_update; break;
        default: return 0;
    }
    return own.admit(what) ? 0 : own.give_up(flood_guard::rule(what));
}

// PRIORITY is passed over before it is a frame that came.
int callbacks::frame_begins(nghttp2_session*, const nghttp2_frame_hd* head, void* self) noexcept {
    session& own = session_of(self);
    if (head->type != NGHTTP2_PRIORITY || own.admit(burden::other)) return 0;
    try {
        return own.give_up(flood_guard::rule(burden::other));
    } catch (const std::exception&) {
        return failed;
    }
}

int callbacks::frame_came(nghttp2_session* native, const nghttp2_frame* frame, void* self) noexcept {
    session& own = session_of(self);
    try {
        if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) {
            return control_came(own, *frame);
        }
        stream* const which = stream_of(native, frame->hd.stream_id);
        if (frame->hd.type == NGHTTP2_DATA && !ends_stream(*frame) &&
            frame->hd.length <= frame->data.padlen + 1 && !own.admit(burden::empty_frame)) {
            return own.give_up(flood_guard::rule(burden::empty_frame));
        }
        if (which == nullptr) return 0;
        if (is_request(*frame)) {
            head_whole(own, *which, *frame);
        } else if (ends_stream(*frame)) {
            which->input_ended_ = true;
            which->notice();
        }
        return 0;
    } catch (const std::exception&) {
        return failed;
    }
}

int callbacks::frame_went(nghttp2_session* native, const nghttp2_frame* frame, void* self) noexcept {
    session& own = session_of(self);
    if (frame->hd.type == NGHTTP2_DATA) own.floods_.sent_data(frame->hd.length);
    if (answers_error(*frame) && !own.admit(burden::reset)) own.flood_ = flood_guard::rule(burden::reset);
    if (frame->hd.type == NGHTTP2_GOAWAY) return own.said_why(frame->goaway.error_code);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    stream* const which = stream_of(native, frame->hd.stream_id);
    if (which == nullptr || !ends_stream(*frame)) return 0;
    which->output_sent_ = true;
    which->notice();
    return 0;
}

int callbacks::data(
    nghttp2_session* native,
    std::uint8_t,
    std::int32_t id,
    const std::uint8_t* bytes,
    std::size_t size,
    void* self
) noexcept {
    session& own = session_of(self);
    stream* const which = stream_of(native, id);
    if (which == nullptr) return nghttp2_session_consume(native, id, size) == 0 ? 0 : failed;
    try {
        which->input_.append(text(bytes, size));
        which->received_ += size;
        own.held_ += size;
        // What one stream leaves unread must not hold up the others, up to a point.
        if (own.held_ <= own.most_held_) {
            nghttp2_session_consume_connection(native, size);
        } else {
            own.withheld_ += size;
        }
        which->notice();
        return 0;
    } catch (const std::exception&) {
        return failed;
    }
}

int callbacks::stream_closed(
    nghttp2_session* native, std::int32_t id, std::uint32_t why, void* self
) noexcept {
    session& own = session_of(self);
    stream* const which = stream_of(native, id);
    if (which == nullptr) return 0;
    nghttp2_session_set_stream_user_data(native, id, nullptr);
    which->closed_ = why;
    which->output_ = {};
    if (own.coming_ == which) own.coming_ = nullptr;
    if (!which->head_whole_) {
        own.drop_input(*which);
        own.user_.drop(*which);
    } else {
        which->notice();
    }
    return 0;
}

ssize_t callbacks::
    read_output(nghttp2_session* native, std::int32_t id, std::uint8_t* into, std::size_t most, std::uint32_t* flags, nghttp2_data_source*, void*) noexcept {
    stream* const which = stream_of(native, id);
    if (which == nullptr) return stream_failed;
    const std::size_t count = std::min(most, which->output_.size());
    if (count == 0 && !which->output_ended_) return NGHTTP2_ERR_DEFERRED;
    if (count > 0) std::memcpy(into, which->output_.data(), count);
    which->output_.remove_prefix(count);
    if (which->output_.empty()) {
        which->output_ = {};
        if (which->output_ended_) *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    if (count > 0) {
        which->sent(count);
        which->notice();
    }
    return static_cast<ssize_t>(count);
}

nghttp2_session_callbacks* callbacks::make() noexcept {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) return nullptr;
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, &begin_head);
    nghttp2_session_callbacks_set_on_header_callback(made, &field);
    nghttp2_session_callbacks_set_on_invalid_header_callback(made, &invalid_field);
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, &frame_begins);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, &frame_came);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, &frame_went);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, &stream_closed);
    return made;
}

}  // namespace unicoro::http2
