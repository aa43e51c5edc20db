// SPDX-License-Identifier: MIT
#include "http/head_lines.hpp"

#include "http/chars.hpp"

#include <algorithm>
#include <cstring>

namespace unicoro::http {
namespace {

constexpr std::size_t none = std::string_view::npos;

std::size_t find_lf(std::string_view input, std::size_t from) noexcept {
    if (from >= input.size()) return none;
    const void* hit = std::memchr(input.data() + from, '\n', input.size() - from);
    return hit == nullptr ? none : static_cast<std::size_t>(static_cast<const char*>(hit) - input.data());
}

// Where the content of a line ends that was seen up to `end`: a last CR may belong to CRLF.
std::size_t content_end(std::string_view input, std::size_t line, std::size_t end) noexcept {
    return end > line && input[end - 1] == '\r' ? end - 1 : end;
}

}  // namespace

head_lines::head_lines(const policy& rules) noexcept
    : line_limit_(std::min(rules.request_line_limit(), rules.head_limit() - 4)),
      fields_limit_(rules.fields_limit()),
      field_size_limit_(rules.field_size_limit()),
      head_limit_(rules.head_limit()),
      permit_folding_(rules.permit_obsolete_folding) {}

void head_lines::reset() noexcept {
    part_ = part::before;
    folded_ = false;
    begin_ = 0;
    fields_ = 0;
    line_ = 0;
    field_ = 0;
    seen_ = 0;
    count_ = 0;
}

head_lines::step head_lines::skip_empty_line(std::string_view input, refusal& why) {
    // Some clients send an extra CRLF behind a body; one is ignored (RFC 9112, 2.2).
    if (begin_ == 0 && !input.empty() && input[0] == '\r') {
        if (input.size() < 2) return step::need_more;
        if (input[1] == '\n') begin_ = 2;
    }
    if (input.size() <= begin_) return step::need_more;
    // What starts like this is no HTTP, a TLS handshake perhaps: no need to wait for its end.
    if (!is(byte_class::token, input[begin_])) {
        refuse(why, 400, "Invalid request line: it does not start with a method", input.substr(begin_, 1));
        return step::refused;
    }
    line_ = begin_;
    seen_ = begin_;
    part_ = part::request_line;
    return step::found;
}

head_lines::step head_lines::find_request_line(std::string_view input, refusal& why) {
    if (part_ == part::fields) return step::found;
    if (part_ == part::before) {
        const step skipped = skip_empty_line(input, why);
        if (skipped != step::found) return skipped;
    }
    const std::size_t lf = find_lf(input, seen_);
    seen_ = lf == none ? input.size() : lf;
    const std::size_t content = content_end(input, line_, seen_);
    if (content - line_ > line_limit_) {
        refuse_over(why, 414, "The request line is too long", "limit_request_line", line_limit_);
        return step::refused;
    }
    if (lf == none) return step::need_more;
    if (content == lf) {
        refuse(why, 400, "Invalid request line: LF without CR (RFC 9112, 2.2)");
        return step::refused;
    }
    part_ = part::fields;
    fields_ = line_ = seen_ = lf + 1;
    return step::found;
}

bool head_lines::open_line(char first, refusal& why) {
    if (first == ' ' || first == '\t') {
        if (line_ == fields_) {
            return refuse(why, 400, "Invalid header: white space before the first field (RFC 9112, 2.2)");
        }
        if (!permit_folding_) {
            return refuse(
                why,
                400,
                "Invalid header: a field is folded (RFC 9112, 5.2; permit_obsolete_folding is "
                "false)"
            );
        }
        folded_ = true;
        return true;
    }
    field_ = line_;
    if (first == '\r') return true;
    if (++count_ > fields_limit_) {
        return refuse_over(why, 431, "Too many header fields", "limit_request_fields", fields_limit_);
    }
    return true;
}

bool head_lines::field_fits(std::string_view input, std::size_t seen, refusal& why) const {
    const std::size_t with_crlf = content_end(input, line_, seen) + 2;
    if (with_crlf - field_ > field_size_limit_) {
        return refuse_over(
            why, 431, "A header field is too large", "limit_request_field_size", field_size_limit_
        );
    }
    if (with_crlf > head_limit_) {
        return refuse_over(why, 431, "The request head is too large", "its limit", head_limit_);
    }
    return true;
}

head_lines::step head_lines::find_end(std::string_view input, refusal& why) {
    while (line_ < input.size()) {
        if (seen_ == line_ && !open_line(input[line_], why)) return step::refused;
        const std::size_t lf = find_lf(input, seen_);
        if (lf == line_ + 1 && input[line_] == '\r') {
            line_ = lf + 1;
            return step::found;
        }
        seen_ = lf == none ? input.size() : lf;
        if (!field_fits(input, seen_, why)) return step::refused;
        if (lf == none) return step::need_more;
        if (lf == line_ || input[lf - 1] != '\r') {
            refuse(why, 400, "Invalid header: LF without CR (RFC 9112, 2.2)");
            return step::refused;
        }
        if (input[line_] == '\r') {
            refuse(why, 400, "Invalid header: CR without LF (RFC 9112, 2.2)");
            return step::refused;
        }
        line_ = seen_ = lf + 1;
    }
    return step::need_more;
}

}  // namespace unicoro::http
