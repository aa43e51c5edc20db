// SPDX-License-Identifier: MIT
#include "http2/session.hpp"

#include "http/chars.hpp"
#include "http2/callbacks.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <vector>

namespace unicoro::http2 {
namespace {

// Of one connection, what its streams may hold unread before its window is not given back any more.
constexpr std::size_t least_held = std::size_t{1} << 20;

// Frames that a client has not read, beyond which no hints are added.
constexpr std::size_t most_unread = 256;

struct free_callbacks {
    void operator()(nghttp2_session_callbacks* which) const noexcept { nghttp2_session_callbacks_del(which); }
};
struct free_option {
    void operator()(nghttp2_option* which) const noexcept { nghttp2_option_del(which); }
};

std::unique_ptr<nghttp2_option, free_option> make_options(const bounds& limits) {
    nghttp2_option* made = nullptr;
    if (nghttp2_option_new(&made) != 0) throw std::bad_alloc();
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_no_closed_streams(made, 1);
    // Else PRIORITY frames would not even be checked, for clients of RFC 7540 that send them.
    nghttp2_option_set_server_fallback_rfc7540_priorities(made, 1);
    nghttp2_option_set_max_outbound_ack(made, 256);
    nghttp2_option_set_max_settings(made, 32);
    nghttp2_option_set_max_continuations(made, 8 + limits.max_header_list_size / limits.max_frame_size);
    // The limits of flood_guard are met first.
    nghttp2_option_set_stream_reset_rate_limit(made, 1000, 100);
    return std::unique_ptr<nghttp2_option, free_option>(made);
}

/// Fields on their way to nghttp2, which copies them.
class field_list {
  public:
    field_list(std::size_t fields, std::size_t bytes) {
        fields_.reserve(fields);
        // Views into it are kept.
        text_.reserve(bytes);
    }

    void add(std::string_view name, std::string_view value) {
        const std::size_t begin = text_.size();
        for (const char each : name) text_.push_back(http::to_lower(each));
        text_.append(value);
        add_kept(std::string_view(text_).substr(begin, name.size()), value.size());
    }

    [[nodiscard]] const nghttp2_nv* data() const noexcept { return fields_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }

  private:
    // The value follows the name.
    void add_kept(std::string_view name, std::size_t value_size) {
        auto* const at = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
        fields_.push_back({at, at + name.size(), name.size(), value_size, NGHTTP2_NV_FLAG_NONE});
    }

    std::vector<nghttp2_nv> fields_;
    std::string text_;
};

field_list list_of(int status, const response_fields& from) {
    constexpr std::size_t own_fields = 4;
    constexpr std::size_t own_bytes = 96;
    const std::size_t fields = from.head != nullptr ? from.head->field_count() : 0;
    const std::size_t bytes = from.head != nullptr ? from.head->text_size() : 0;
    field_list made(fields + own_fields, bytes + from.server.size() + from.date.size() + own_bytes);
    made.add(":status", std::to_string(status));
    if (!from.server.empty()) made.add("server", from.server);
    if (!from.date.empty()) made.add("date", from.date);
    for (std::size_t i = 0; i < fields; ++i) {
        const http::field each = from.head->field_at(i);
        // It is of HTTP/1.1 alone (RFC 9113, 8.2.2).
        if (!http::iequals(each.name, "upgrade")) made.add(each.name, each.value);
    }
    if (from.length) made.add("content-length", std::to_string(*from.length));
    return made;
}

}  // namespace

void session::deleter::operator()(nghttp2_session* which) const noexcept {
    nghttp2_session_del(which);
}

session::session(session_user& user, const http::policy& rules, const bounds& limits, clock now)
    : user_(user),
      fields_(rules),
      bounds_(limits),
      now_(now),
      most_held_(std::max(least_held, std::size_t{limits.initial_window_size} * 4)) {
    const std::unique_ptr<nghttp2_session_callbacks, free_callbacks> called(callbacks::make());
    if (!called) throw std::bad_alloc();
    const auto options = make_options(limits);
    nghttp2_session* made = nullptr;
    if (nghttp2_session_server_new2(&made, called.get(), this, options.get()) != 0) throw std::bad_alloc();
    native_.reset(made);
    const std::array<nghttp2_settings_entry, 6> settings{{
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.max_concurrent_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.initial_window_size},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, limits.max_frame_size},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.max_header_list_size},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, limits.websockets ? 1U : 0U},
    }};
    nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    const std::size_t window = std::min<std::size_t>(most_held_, INT32_MAX);
    nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0, static_cast<std::int32_t>(window));
}

session::~session() = default;

bool session::admit(burden what) noexcept {
    return floods_.admit(what, now_());
}

int session::give_up(std::string_view rule) {
    if (complaint_.empty()) complaint_ = rule;
    nghttp2_session_terminate_session(native_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int session::said_why(std::uint32_t error) noexcept {
    if (error != NGHTTP2_NO_ERROR && complaint_.empty()) complaint_ = nghttp2_http2_strerror(error);
    return 0;
}

bool session::receive(std::string_view bytes) {
    if (failed_) return false;
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
    const ssize_t taken = nghttp2_session_mem_recv(native_.get(), begin, bytes.size());
    if (taken >= 0 && flood_.empty()) return true;
    failed_ = true;
    if (complaint_.empty() && !flood_.empty()) complaint_ = flood_;
    if (complaint_.empty()) complaint_ = nghttp2_strerror(static_cast<int>(taken));
    const bool strange = taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC;
    nghttp2_session_terminate_session(
        native_.get(), strange ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_ENHANCE_YOUR_CALM
    );
    return false;
}

bool session::over() const noexcept {
    return nghttp2_session_want_read(native_.get()) == 0 && nghttp2_session_want_write(native_.get()) == 0;
}

void session::output(std::string& into, std::size_t most) {
    while (into.size() < most) {
        const std::uint8_t* made = nullptr;
        const ssize_t size = nghttp2_session_mem_send(native_.get(), &made);
        if (size == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
        if (size <= 0) return;
        into.append(reinterpret_cast<const char*>(made), static_cast<std::size_t>(size));
    }
}

void session::give_back(stream& of, std::size_t count) {
    held_ -= count;
    if (!of.closed()) nghttp2_session_consume_stream(native_.get(), of.id_, count);
    const std::size_t due = std::min(withheld_, count);
    if (due == 0) return;
    withheld_ -= due;
    nghttp2_session_consume_connection(native_.get(), due);
}

std::size_t session::take(stream& of, std::span<char> into) {
    const std::size_t count = std::min(into.size(), of.input_size());
    if (count == 0) return 0;
    std::memcpy(into.data(), of.input_.data() + of.taken_, count);
    of.taken_ += count;
    if (of.taken_ == of.input_.size()) {
        of.input_.clear();
        of.taken_ = 0;
    } else if (of.taken_ >= bounds_.initial_window_size) {
        of.input_.erase(0, of.taken_);
        of.taken_ = 0;
    }
    give_back(of, count);
    return count;
}

void session::drop_input(stream& of) {
    const std::size_t left = of.input_size();
    of.input_ = std::string();
    of.taken_ = 0;
    if (left > 0) give_back(of, left);
}

void session::interim(stream& to, int status, const http::response_head* fields) {
    if (to.closed() || nghttp2_session_get_outbound_queue_size(native_.get()) > most_unread) return;
    const field_list list = list_of(status, {.head = fields});
    nghttp2_submit_headers(
        native_.get(), NGHTTP2_FLAG_NONE, to.id_, nullptr, list.data(), list.size(), nullptr
    );
}

void session::begin_response(stream& to, const response_fields& fields, body comes) {
    if (to.closed()) return;
    const field_list list = list_of(fields.head->status(), fields);
    nghttp2_data_provider from{};
    from.read_callback = &callbacks::read_output;
    const bool follows = comes == body::follows;
    nghttp2_submit_response(native_.get(), to.id_, list.data(), list.size(), follows ? &from : nullptr);
}

void session::give(stream& to, std::string_view piece) {
    if (to.closed()) return;
    to.output_ = piece;
    nghttp2_session_resume_data(native_.get(), to.id_);
}

void session::end(stream& which) {
    if (which.closed() || which.output_ended_) return;
    which.output_ended_ = true;
    nghttp2_session_resume_data(native_.get(), which.id_);
}

void session::reset(stream& which, error why) {
    which.output_ = {};
    if (which.closed()) return;
    nghttp2_session_set_stream_user_data(native_.get(), which.id_, nullptr);
    nghttp2_submit_rst_stream(native_.get(), NGHTTP2_FLAG_NONE, which.id_, static_cast<std::uint32_t>(why));
    drop_input(which);
    which.closed_ = static_cast<std::uint32_t>(why);
    which.notice();
}

void session::forget(stream& which) {
    reset(which, error::cancel);
    drop_input(which);
    if (coming_ == &which) coming_ = nullptr;
}

void session::announce_end() {
    static constexpr std::array<std::uint8_t, 8> asked = {'u', 'n', 'i', 'c', 'o', 'r', 'o', '.'};
    nghttp2_submit_shutdown_notice(native_.get());
    nghttp2_submit_ping(native_.get(), NGHTTP2_FLAG_NONE, asked.data());
}

void session::end() {
    const std::int32_t last = nghttp2_session_get_last_proc_stream_id(native_.get());
    nghttp2_submit_goaway(native_.get(), NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0);
}

void session::abort(error why) {
    nghttp2_session_terminate_session(native_.get(), static_cast<std::uint32_t>(why));
}

}  // namespace unicoro::http2
