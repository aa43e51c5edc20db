// SPDX-License-Identifier: MIT
#include "unit/http/conversation.hpp"

#include <algorithm>

namespace unicoro::test {
namespace {

request_record record(const http::request_head& head) {
    request_record r;
    r.method = head.method;
    r.target = head.target;
    r.path = head.path;
    r.query = head.query;
    r.authority = head.authority;
    r.version = head.protocol();
    r.scheme = head.scheme;
    r.script_name = head.script_name;
    if (head.client) {
        r.client = std::string(head.client->address) + ":" + std::to_string(head.client->port);
    }
    for (const http::field& f : head.fields) r.fields.emplace_back(f.name, f.value);
    r.framing = head.framing;
    r.content_length = head.content_length;
    r.keep_alive = head.keep_alive;
    r.expects_continue = head.expects_continue;
    return r;
}

class connection {
  public:
    connection(const http::policy& rules, http::peer sender) : parser_(rules), sender_(sender) {}

    void feed(std::string_view piece) {
        std::vector<char> moved;
        moved.reserve(input_.size() + piece.size());
        moved.assign(input_.begin(), input_.end());
        moved.insert(moved.end(), piece.begin(), piece.end());
        input_.swap(moved);
        while (!over_ && (in_body_ ? step_body() : step_head())) {
        }
    }

    transcript finish() {
        result_.unread = input_.size();
        return std::move(result_);
    }

    [[nodiscard]] bool over() const { return over_; }

  private:
    [[nodiscard]] std::string_view input() const { return {input_.data(), input_.size()}; }

    void consume(std::size_t count) {
        std::vector<char> rest(input_.begin() + static_cast<std::ptrdiff_t>(count), input_.end());
        input_.swap(rest);
    }

    bool refuse(bool in_body) {
        result_.status = parser_.refused_because().status;
        result_.detail = parser_.refused_because().detail;
        result_.in_body = in_body;
        over_ = true;
        return false;
    }

    bool step_head() {
        using status = http::request_parser::head_status;
        const status s = parser_.parse_head(input(), sender_);
        if (s == status::need_more) return false;
        if (s == status::refused) return refuse(false);
        result_.requests.push_back(record(parser_.head()));
        consume(parser_.head_size());
        in_body_ = true;
        return true;
    }

    bool step_body() {
        using status = http::request_parser::body_status;
        const http::request_parser::body_step step = parser_.decode_body(input());
        request_record& current = result_.requests.back();
        current.body.append(step.data);
        if (step.status == status::refused) return refuse(true);
        consume(step.consumed);
        if (step.status == status::need_more) return false;
        if (step.status == status::data) return true;
        current.body_complete = true;
        over_ = !current.keep_alive;
        in_body_ = false;
        parser_.reset();
        return !input_.empty();
    }

    http::request_parser parser_;
    http::peer sender_;
    std::vector<char> input_;
    transcript result_;
    bool in_body_ = false;
    bool over_ = false;
};

}  // namespace

transcript converse(
    const http::policy& rules, http::peer sender, std::string_view wire, const next_read& read
) {
    connection c(rules, sender);
    while (!wire.empty() && !c.over()) {
        const std::size_t count = std::clamp<std::size_t>(read(wire.size()), 1, wire.size());
        c.feed(wire.substr(0, count));
        wire.remove_prefix(count);
    }
    transcript t = c.finish();
    // A refusal may come before the last byte; how much was read by then is no part of the result.
    t.unread = t.status == 0 ? t.unread + wire.size() : 0;
    return t;
}

next_read whole() {
    return [](std::size_t left) { return left; };
}

next_read split_at(std::size_t at) {
    return [at, first = true](std::size_t left) mutable {
        const std::size_t count = first ? at : left;
        first = false;
        return count;
    };
}

next_read pieces_of(std::size_t size) {
    return [size](std::size_t) { return size; };
}

}  // namespace unicoro::test
