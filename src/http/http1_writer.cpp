// SPDX-License-Identifier: MIT
#include "http/http1_writer.hpp"

#include "http/status.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <utility>

namespace unicoro::http {
namespace {

// Copying a small body behind its head is cheaper than a second element in the system call.
constexpr std::size_t small_body = 2048;

constexpr std::size_t kept_memory = std::size_t{16} * 1024;

// A client that reads nothing needs no hints, and keeps no more than this of them here.
constexpr std::size_t most_interim = std::size_t{64} * 1024;
constexpr std::size_t around_a_field = 4;

/// Writes where there is room for all of it.
class cursor {
  public:
    explicit cursor(char* at) noexcept : at_(at) {}

    void put(std::string_view text) noexcept {
        if (!text.empty()) std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
    }
    void put_number(std::uint64_t value) noexcept {
        constexpr std::size_t most_digits = 20;
        at_ = std::to_chars(at_, at_ + most_digits, value).ptr;
    }
    [[nodiscard]] const char* at() const noexcept { return at_; }

  private:
    char* at_;
};

void put_status_line(cursor& to, const response_head& head) noexcept {
    const std::string_view known = status_line(head.status());
    if (head.reason().empty() && !known.empty()) {
        to.put(known);
        return;
    }
    to.put("HTTP/1.1 ");
    to.put_number(static_cast<std::uint64_t>(head.status()));
    to.put(" ");
    to.put(head.reason().empty() ? reason_phrase(head.status()) : head.reason());
    to.put("\r\n");
}

void put_fields(cursor& to, const response_head& head) noexcept {
    for (std::size_t i = 0; i < head.field_count(); ++i) {
        const field each = head.field_at(i);
        to.put(each.name);
        to.put(": ");
        to.put(each.value);
        to.put("\r\n");
    }
}

void put_framing(cursor& to, const response_plan& plan, version request_version) noexcept {
    if (plan.length) {
        to.put("Content-Length: ");
        to.put_number(*plan.length);
        to.put("\r\n");
    } else if (plan.framing == response_framing::chunked) {
        to.put("Transfer-Encoding: chunked\r\n");
    }
    if (!plan.keep_alive) {
        to.put("Connection: close\r\n");
    } else if (request_version == version::http_1_0) {
        to.put("Connection: keep-alive\r\n");
    }
}

/// Appends, from the status line to the empty line (RFC 9112, 2.1).
void write_head(
    std::string& out, const response_head& head, const response_plan& plan, const response_context& context
) {
    // The longest status line of ours, the names, a length, Connection.
    constexpr std::size_t fixed_room = 192;
    const std::size_t before = out.size();
    out.resize(
        before + fixed_room + head.reason().size() + head.text_size() + head.field_count() * around_a_field +
        context.date.size() + context.server.size()
    );
    cursor to(out.data() + before);
    put_status_line(to, head);
    if (!context.server.empty()) {
        to.put("Server: ");
        to.put(context.server);
        to.put("\r\n");
    }
    if (!context.date.empty()) {
        to.put("Date: ");
        to.put(context.date);
        to.put("\r\n");
    }
    put_fields(to, head);
    put_framing(to, plan, context.request_version);
    to.put("\r\n");
    out.resize(static_cast<std::size_t>(to.at() - out.data()));
}

/// "1a\r\n" (RFC 9112, 7.1).
void append_chunk_header(std::string& out, std::uint64_t size) {
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
    out.append(digits.data(), end);
    out.append("\r\n");
}

}  // namespace

response_plan plan_response(const response_head& head, const response_context& context) noexcept {
    response_plan p;
    p.keep_alive = context.keep_alive && !head.close_requested();
    const int status = head.status();
    const std::optional<std::uint64_t> length = head.content_length();
    if (context.head_request || !body_allowed(status)) {
        p.framing = response_framing::no_body;
        // A length here is that of the answer to GET (RFC 9110, 8.6). Nothing is known of that from
        // an empty body: most applications send none to HEAD, and 304 never has one.
        if (status >= 200 && status != 204) {
            p.length = length;
            if (!length && status != 304 && context.body_length.value_or(0) != 0) {
                p.length = context.body_length;
            }
        }
        return p;
    }
    p.length = length ? length : context.body_length;
    if (p.length) {
        p.framing = response_framing::length;
    } else if (context.request_version != version::http_1_0) {
        p.framing = response_framing::chunked;
    } else {
        p.framing = response_framing::until_close;
        p.keep_alive = false;
    }
    return p;
}

void http1_writer::reset() noexcept {
    now_ = of_response();
    if (out_.capacity() > kept_memory) {
        out_ = std::string();
    } else {
        out_.clear();
    }
}

void http1_writer::add_hints(const response_head& hints) {
    static constexpr std::string_view line = "HTTP/1.1 103 Early Hints\r\n";
    const std::size_t before = now_.interim;
    const std::size_t size = line.size() + hints.text_size() + hints.field_count() * around_a_field + 2;
    if (hints.field_count() == 0 || before + size > most_interim) return;
    out_.resize(before + size);
    cursor to(out_.data() + before);
    to.put(line);
    put_fields(to, hints);
    to.put("\r\n");
    now_.interim = out_.size();
}

void http1_writer::interim_sent(std::size_t count) noexcept {
    out_.erase(0, count);
    now_.interim -= count;
}

void http1_writer::begin(const response_head& head, const response_context& context) {
    now_.plan = plan_response(head, context);
    out_.resize(std::exchange(now_.interim, 0));
    write_head(out_, head, now_.plan, context);
    now_.begun = true;
    now_.head_due = true;
}

// How many of the next `count` bytes are sent.
std::uint64_t http1_writer::admit(std::uint64_t count) noexcept {
    if (now_.plan.framing == response_framing::no_body) return 0;
    if (now_.plan.length) count = std::min(count, *now_.plan.length - now_.body_bytes);
    now_.body_bytes += count;
    return count;
}

void http1_writer::clear_sent() {
    if (!now_.head_due) out_.clear();
    now_.head_due = false;
}

http1_writer::output http1_writer::whole(std::string_view body) {
    output made = piece(body);
    if (made.body_bytes <= small_body) {
        out_.append(made.parts[1]);
        made.parts = {out_, {}, {}};
    }
    return made;
}

http1_writer::output http1_writer::piece(std::string_view bytes) {
    clear_sent();
    output made;
    made.body_bytes = admit(bytes.size());
    if (made.body_bytes < bytes.size() && now_.plan.length &&
        now_.plan.framing != response_framing::no_body) {
        made.overrun = !now_.overran;
        now_.overran = true;
    }
    const bool chunked = now_.plan.framing == response_framing::chunked;
    if (chunked) append_chunk_header(out_, made.body_bytes);
    made.parts = {
        out_,
        bytes.substr(0, static_cast<std::size_t>(made.body_bytes)),
        chunked ? "\r\n" : std::string_view()
    };
    return made;
}

http1_writer::surroundings http1_writer::around(std::uint64_t count) {
    clear_sent();
    const std::uint64_t admitted = admit(count);
    const bool chunked = now_.plan.framing == response_framing::chunked;
    if (chunked) append_chunk_header(out_, admitted);
    return {out_, admitted, chunked ? "\r\n" : std::string_view()};
}

void http1_writer::make_last(output& piece) const noexcept {
    if (now_.plan.framing == response_framing::chunked) piece.parts[2] = "\r\n0\r\n\r\n";
}

std::string_view http1_writer::end() const noexcept {
    return now_.plan.framing == response_framing::chunked ? "0\r\n\r\n" : std::string_view();
}

bool http1_writer::is_short() const noexcept {
    return now_.plan.framing == response_framing::length && now_.body_bytes < *now_.plan.length;
}

}  // namespace unicoro::http
