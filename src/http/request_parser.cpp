// SPDX-License-Identifier: MIT
#include "http/request_parser.hpp"

#include "http/chars.hpp"
#include "http/chunk_decoder.hpp"
#include "http/field_rules.hpp"
#include "http/head_lines.hpp"
#include "http/method.hpp"
#include "http/request_target.hpp"
#include "http/trace_context.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace unicoro::http {
namespace {

namespace beast = boost::beast;
using text = beast::string_view;

std::string_view to_std(text t) noexcept {
    return {t.data(), t.size()};
}

field_kind kind_of(beast::http::field name) noexcept {
    switch (name) {
        case beast::http::field::host: return field_kind::host;
        case beast::http::field::connection: return field_kind::connection;
        case beast::http::field::content_length: return field_kind::content_length;
        case beast::http::field::content_type: return field_kind::content_type;
        case beast::http::field::transfer_encoding: return field_kind::transfer_encoding;
        case beast::http::field::expect: return field_kind::expect;
        case beast::http::field::upgrade: return field_kind::upgrade;
        default: return field_kind::other;
    }
}

/// Beast's grammar over a complete head, handed over in two pieces: the request line, the fields.
/// Bodies never reach it.
class head_reader final : public beast::http::basic_parser<true> {
  public:
    head_reader(field_rules& rules, std::vector<field>& fields, refusal& why)
        : rules_(rules), fields_(fields), why_(why) {
        // The limits are head_lines' business: Beast's would fire with a status of its own.
        header_limit(std::numeric_limits<std::uint32_t>::max());
        body_limit(boost::none);
    }

    /// Reads a piece and returns how far it came.
    std::size_t read(std::string_view piece, beast::error_code& ec) {
        return put(boost::asio::const_buffer(piece.data(), piece.size()), ec);
    }

    [[nodiscard]] std::string_view method() const noexcept { return method_; }
    [[nodiscard]] std::string_view target() const noexcept { return target_; }
    [[nodiscard]] bool http_1_0() const noexcept { return version_ == 10; }
    /// True when a rule of ours ended the reading, which has filled in the refusal.
    [[nodiscard]] bool refused() const noexcept { return refused_; }

  private:
    void on_request_impl(beast::http::verb, text method, text target, int version, beast::error_code&)
        override {
        method_ = to_std(method);
        target_ = to_std(target);
        version_ = version;
    }

    void on_field_impl(beast::http::field kind, text name, text value, beast::error_code& ec) override {
        const field f{to_std(name), to_std(value)};
        switch (rules_.add(kind_of(kind), f.name, f.value, why_)) {
            case field_rules::verdict::keep: fields_.push_back(f); break;
            case field_rules::verdict::drop: break;
            case field_rules::verdict::refused:
                refused_ = true;
                ec = beast::http::error::bad_value;
                break;
        }
    }

    void on_response_impl(int, text, int, beast::error_code&) override {}
    void on_header_impl(beast::error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
    std::size_t on_body_impl(text, beast::error_code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, text, beast::error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, text, beast::error_code&) override { return 0; }
    void on_finish_impl(beast::error_code&) override {}

    field_rules& rules_;
    std::vector<field>& fields_;
    refusal& why_;
    std::string_view method_;
    std::string_view target_;
    int version_ = 11;
    bool refused_ = false;
};

std::string_view describe(const beast::error_code& ec) noexcept {
    using beast::http::error;
    if (ec == error::bad_field)
        return "Invalid header: no field name, or not a token before ':' (RFC 9112, 5)";
    if (ec == error::bad_value) return "Invalid header: the value cannot be read (RFC 9110, 5.5)";
    if (ec == error::bad_line_ending) return "Invalid header: CR without LF (RFC 9112, 2.2)";
    if (ec == error::bad_content_length || ec == error::multiple_content_length) {
        return "Invalid Content-Length (RFC 9112, 6.3)";
    }
    if (ec == error::bad_transfer_encoding) return "Invalid Transfer-Encoding (RFC 9112, 6.3)";
    return "Invalid header";
}

/// The field lines with each fold replaced by one space (RFC 9112, 5.2).
void unfold(std::string_view lines, std::string& out) {
    out.clear();
    while (!lines.empty()) {
        const std::size_t end = lines.find("\r\n");
        const std::string_view line = lines.substr(0, end);
        lines.remove_prefix(end + 2);
        if (line.empty() || (line.front() != ' ' && line.front() != '\t')) {
            out.append(line);
        } else {
            out.resize(out.size() - 2);
            out.resize(out.find_last_not_of(" \t") + 1);
            out.append(" ").append(trim(line));
        }
        out.append("\r\n");
    }
}

}  // namespace

/// What a parser is made of.
class request_parser::scanner {
  public:
    explicit scanner(const policy& rules) : rules_(rules), lines_(rules), fields_rules_(rules) {
        fields_.reserve(32);
        reset();
    }

    void reset() {
        lines_.reset();
        fields_.clear();
        head_ = {};
        length_remaining_ = 0;
        stage_ = stage::request_line;
    }

    head_status parse_head(std::string_view input, peer sender);
    body_step decode_body(std::string_view input);

    [[nodiscard]] std::size_t head_size() const noexcept { return lines_.end(); }
    [[nodiscard]] const request_head& head() const noexcept { return head_; }
    [[nodiscard]] const refusal& why() const noexcept { return why_; }

  private:
    enum class stage { request_line, fields, body, refused };

    [[nodiscard]] std::string_view request_line(std::string_view input) const noexcept {
        return input.substr(lines_.request_line(), lines_.fields() - lines_.request_line());
    }
    bool read_request_line(std::string_view line);
    bool judge_request_line(std::string_view line);
    bool read_odd_version(std::string_view line);
    bool check_method();
    bool read_fields(std::string_view input, peer sender);
    void begin_body();

    const policy& rules_;
    head_lines lines_;
    field_rules fields_rules_;
    std::vector<field> fields_;
    trace_fields traces_;
    std::optional<head_reader> reader_;
    chunk_decoder chunks_;
    target_parts target_;
    request_head head_;
    refusal why_;
    std::string folded_method_;
    std::string unfolded_fields_;
    const char* line_data_ = nullptr;
    std::uint64_t length_remaining_ = 0;
    stage stage_ = stage::request_line;
};

bool request_parser::scanner::check_method() {
    if (rules_.casefold_http_method) {
        folded_method_.assign(head_.method);
        std::transform(folded_method_.begin(), folded_method_.end(), folded_method_.begin(), to_upper);
        head_.method = folded_method_;
    }
    return accept_method(head_.method, rules_, why_);
}

bool request_parser::scanner::judge_request_line(std::string_view line) {
    // By size, as the reader may have read a copy of the line.
    head_.method = line.substr(0, reader_->method().size());
    head_.target = line.substr(head_.method.size() + 1, reader_->target().size());
    line_data_ = line.data();
    if (!check_method() || !split_target(head_.method, head_.target, target_, why_)) return false;
    head_.path = target_.path;
    head_.query = target_.query;
    return true;
}

bool request_parser::scanner::read_request_line(std::string_view line) {
    using beast::http::error;
    reader_.emplace(fields_rules_, fields_, why_);
    beast::error_code ec;
    const std::size_t consumed = reader_->read(line, ec);
    // The reader asks for the fields when it took the line, and for more of the line otherwise.
    if (ec == error::bad_version || (ec == error::need_more && consumed == 0)) {
        if (!read_odd_version(line)) return false;
    } else if (ec != error::need_more) {
        return refuse(
            why_,
            400,
            "Invalid request line: not method, target, version (RFC 9112, 3)",
            line.substr(0, line.size() - 2)
        );
    }
    head_.version = reader_->http_1_0() ? version::http_1_0 : version::http_1_1;
    return judge_request_line(line);
}

bool request_parser::scanner::read_odd_version(std::string_view line) {
    static constexpr std::string_view shape = "HTTP/1.1";
    line.remove_suffix(2);
    const std::string_view name = line.substr(line.size() - std::min(line.size(), shape.size()));
    const bool shaped = name.size() == shape.size() && name.substr(0, 5) == shape.substr(0, 5) &&
                        is(byte_class::digit, name[5]) && name[6] == '.' && is(byte_class::digit, name[7]);
    // The rest of the line is judged with a version that the reader knows: the highest minor of the
    // same major (RFC 9110, 2.5), or what is nearest.
    std::string known(line.substr(0, line.size() - name.size()));
    known.append(shaped && name[5] == '0' ? "HTTP/1.0" : shape).append("\r\n");
    reader_.emplace(fields_rules_, fields_, why_);
    beast::error_code ec;
    if (!shaped || reader_->read(known, ec) != known.size()) {
        return refuse(why_, 400, "Invalid request line: not method, target, version (RFC 9112, 3)", line);
    }
    if (name[5] == '1' || rules_.permit_unconventional_http_version) return true;
    return refuse(why_, 505, "Only HTTP/1.0 and HTTP/1.1 are supported (RFC 9110, 15.6.6)", name);
}

bool request_parser::scanner::read_fields(std::string_view input, peer sender) {
    std::string_view lines = input.substr(lines_.fields(), lines_.end() - lines_.fields());
    if (lines_.folded()) {
        unfold(lines, unfolded_fields_);
        lines = unfolded_fields_;
    }
    fields_rules_.begin(head_.version, sender);
    beast::error_code ec;
    const std::size_t consumed = reader_->read(lines, ec);
    if (ec) {
        if (reader_->refused()) return false;
        const std::string_view line = lines.substr(consumed, lines.find('\n', consumed) - consumed);
        return refuse(why_, 400, describe(ec), trim(line.substr(0, line.find('\r'))));
    }
    head_.fields = fields_;
    if (!fields_rules_.finish(target_, head_, why_)) return false;
    traces_.settle(rules_.trace_context, fields_);
    head_.fields = fields_;
    return true;
}

request_parser::head_status request_parser::scanner::parse_head(std::string_view input, peer sender) {
    using step = head_lines::step;
    if (stage_ == stage::body) return head_status::complete;
    const auto refused = [this] {
        stage_ = stage::refused;
        return head_status::refused;
    };
    if (stage_ == stage::refused) return head_status::refused;
    if (stage_ == stage::request_line) {
        const step found = lines_.find_request_line(input, why_);
        if (found == step::need_more) return head_status::need_more;
        if (found == step::refused || !read_request_line(request_line(input))) return refused();
        stage_ = stage::fields;
    }
    const step found = lines_.find_end(input, why_);
    if (found == step::need_more) return head_status::need_more;
    if (found == step::refused) return refused();
    // The caller's buffer may have moved since the request line was read.
    const std::string_view line = request_line(input);
    if (line.data() != line_data_ && !judge_request_line(line)) return refused();
    if (!read_fields(input, sender)) return refused();
    begin_body();
    stage_ = stage::body;
    return head_status::complete;
}

void request_parser::scanner::begin_body() {
    if (head_.framing == body_framing::length) length_remaining_ = head_.content_length;
    if (head_.framing == body_framing::chunked) {
        chunks_.begin(rules_.limit_request_body, rules_.field_size_limit());
    }
}

request_parser::body_step request_parser::scanner::decode_body(std::string_view input) {
    if (stage_ != stage::body) return {body_status::refused, 0, {}};
    if (head_.framing != body_framing::chunked) {
        if (length_remaining_ == 0) return {body_status::complete, 0, {}};
        if (input.empty()) return {body_status::need_more, 0, {}};
        const std::size_t count = std::min<std::uint64_t>(length_remaining_, input.size());
        length_remaining_ -= count;
        return {body_status::data, count, input.substr(0, count)};
    }
    const chunk_decoder::step step = chunks_.decode(input, why_);
    switch (step.what) {
        case chunk_decoder::status::need_more: return {body_status::need_more, step.consumed, {}};
        case chunk_decoder::status::data: return {body_status::data, step.consumed, step.data};
        case chunk_decoder::status::complete: return {body_status::complete, step.consumed, {}};
        case chunk_decoder::status::refused: break;
    }
    stage_ = stage::refused;
    return {body_status::refused, step.consumed, {}};
}

request_parser::request_parser(const policy& rules) : scanner_(std::make_unique<scanner>(rules)) {}
request_parser::~request_parser() = default;

void request_parser::reset() {
    scanner_->reset();
}

request_parser::head_status request_parser::parse_head(std::string_view input, peer sender) {
    return scanner_->parse_head(input, sender);
}

std::size_t request_parser::head_size() const noexcept {
    return scanner_->head_size();
}
const request_head& request_parser::head() const noexcept {
    return scanner_->head();
}
const refusal& request_parser::refused_because() const noexcept {
    return scanner_->why();
}

request_parser::body_step request_parser::decode_body(std::string_view input) {
    return scanner_->decode_body(input);
}

}  // namespace unicoro::http
