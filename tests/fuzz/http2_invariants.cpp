// SPDX-License-Identifier: MIT
#include "fuzz/invariant.hpp"
#include "http/chars.hpp"
#include "http2/session.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::test {
namespace {

using http2::session;

constexpr std::string_view opening("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);

class one_stream final : public http2::stream {
  public:
    using http2::stream::stream;

  private:
    void notice() noexcept override {}
    void sent(std::size_t) noexcept override {}
};

/// Answers every request with its own body, or only remembers them.
class user final : public http2::session_user {
  public:
    enum class habit { remembers, answers };

    explicit user(habit how)
        : how_(how), own_(*this, rules_, limits_, +[]() noexcept { return std::int64_t{1}; }) {}
    user(const user&) = delete;
    user& operator=(const user&) = delete;
    ~user() {
        for (const auto& each : streams_) own_.forget(*each);
    }

    /// False when the session takes no more.
    bool feed(std::string_view bytes) {
        const bool goes_on = own_.receive(bytes);
        if (how_ == habit::answers) answer();
        return goes_on;
    }

    [[nodiscard]] std::string wrong() const { return wrong_; }
    [[nodiscard]] const std::string& heads() const { return heads_; }

    void look(std::size_t given) {
        std::size_t held = 0;
        for (const auto& each : streams_) {
            held += each->input_size();
            const http::request_head& head = each->request().head();
            if (each->input_ended() && !each->closed() && !each->refused() &&
                head.framing == http::body_framing::length && each->received() != head.content_length) {
                wrong_ = "a body of another length than was said";
            }
        }
        if (held > given) wrong_ = "more is held than was given";
    }

  private:
    http2::stream* begin_stream(std::int32_t id) override {
        if (streams_.size() >= 50) return nullptr;
        streams_.push_back(std::make_unique<one_stream>(id, rules_, limits_.max_header_list_size));
        return streams_.back().get();
    }

    void head_came(http2::stream& which) override {
        const http::request_head& head = which.request().head();
        heads_.append(head.method).append(" ").append(head.target).append("\n");
        if (which.refused()) {
            heads_ += std::to_string(which.request().refused_because().status);
            if (which.request().refused_because().status < 400) wrong_ = "refused with no error";
            return;
        }
        if (head.method.empty() || head.path.empty() || (head.path.front() != '/' && head.path != "*")) {
            wrong_ = "a request without a method or a path";
        }
        if (head.fields.size() > rules_.fields_limit() + 1) wrong_ = "too many fields";
        if (!head.find("host")) wrong_ = "no Host";
        for (const http::field& each : head.fields) {
            const bool upper = std::ranges::any_of(each.name, [](char c) { return c >= 'A' && c <= 'Z'; });
            if (each.name.empty() || upper || !http::all(http::byte_class::token, each.name)) {
                wrong_ = "a field name that is none";
            }
            if (!http::all(http::byte_class::content, each.value)) wrong_ = "a control byte in a value";
            for (const std::string_view never :
                 {"connection", "transfer-encoding", "upgrade", "keep-alive"}) {
                if (each.name == never) wrong_ = "a field of HTTP/1.1 alone";
            }
            heads_.append(each.name).append(": ").append(each.value).append("\n");
        }
        waiting_.push_back(&which);
    }

    void drop(http2::stream& which) noexcept override {
        if (std::ranges::find(waiting_, &which) != waiting_.end()) wrong_ = "dropped after its head";
    }
    void end_announced() noexcept override {}

    void answer() {
        for (http2::stream* const each : waiting_) {
            bodies_.push_back(std::make_unique<std::string>(each->input_size(), '\0'));
            std::string& body = *bodies_.back();
            body.resize(own_.take(*each, body));
            own_.begin_response(*each, {.head = &response_}, session::body::follows);
            own_.give(*each, body);
            if (body.size() % 3 != 0) own_.end(*each);
            if (body.size() % 5 == 1) own_.reset(*each, http2::error::cancel);
        }
        waiting_.clear();
        std::string out;
        own_.output(out, std::size_t{1} << 16U);
        check_frames(out);
    }

    void check_frames(std::string_view out) {
        const auto byte = [&out](std::size_t at) { return static_cast<unsigned char>(out[at]); };
        while (!out.empty()) {
            constexpr std::size_t frame_head = 9;
            if (out.size() < frame_head) {
                wrong_ = "a frame without its head";
                return;
            }
            const std::size_t length =
                static_cast<std::size_t>(byte(0)) << 16U | static_cast<std::size_t>(byte(1)) << 8U | byte(2);
            if (length > 16384 || out.size() < frame_head + length) {
                wrong_ = "a frame that is cut or too long";
                return;
            }
            out.remove_prefix(frame_head + length);
        }
    }

    habit how_;
    http::policy rules_;
    http2::bounds limits_;
    http::response_head response_;
    std::vector<std::unique_ptr<one_stream>> streams_;
    std::vector<std::unique_ptr<std::string>> bodies_;
    std::vector<http2::stream*> waiting_;
    std::string heads_;
    std::string wrong_;
    session own_;
};

struct outcome {
    std::string heads;
    std::string wrong;
};

outcome run(std::string_view input, std::size_t piece, user::habit how) {
    user reader(how);
    const std::size_t whole = input.size();
    bool goes_on = reader.feed(opening);
    while (goes_on && !input.empty() && reader.wrong().empty()) {
        goes_on = reader.feed(input.substr(0, piece));
        input.remove_prefix(std::min(piece, input.size()));
        reader.look(whole);
    }
    return {reader.heads(), reader.wrong()};
}

}  // namespace

std::string broken_by(std::string_view input) {
    const outcome whole = run(input, input.size() + 1, user::habit::remembers);
    if (!whole.wrong.empty()) return whole.wrong;
    const outcome split = run(input, 7, user::habit::remembers);
    if (!split.wrong.empty()) return split.wrong;
    if (split.heads != whole.heads) return "other requests when the bytes come in pieces";
    return run(input, 100, user::habit::answers).wrong;
}

}  // namespace unicoro::test
