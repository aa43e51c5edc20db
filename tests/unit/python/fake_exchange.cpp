// SPDX-License-Identifier: MIT
#include "unit/python/fake_exchange.hpp"

#include "http/http1_writer.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace unicoro::testing {

fake_exchange::fake_exchange(std::string target, std::string method)
    : target_(std::move(target)), method_(std::move(method)) {
    request.method = method_;
    request.target = target_;
    const std::size_t question = target_.find('?');
    request.path = request.target.substr(0, question);
    if (question != std::string::npos) request.query = request.target.substr(question + 1);
    request.authority = "example.org:8000";
    ends.remote_address = "127.0.0.1";
    ends.remote_port = 40123;
    ends.local_address = "0.0.0.0";
    ends.local_port = 8000;
    add_field("Host", "example.org:8000");
    is_at({"", "", request.path, 0, request.path});
}

void fake_exchange::add_field(std::string name, std::string value) {
    texts_.emplace_back(std::move(name), std::move(value));
    fields_.clear();
    for (const auto& [each, its] : texts_) fields_.push_back({each, its});
    request.fields = fields_;
}

void fake_exchange::give_body(std::string body_text, http::body_framing framing) {
    incoming_ = std::move(body_text);
    request.framing = framing;
    if (framing == http::body_framing::length) {
        request.content_length = incoming_.size();
        add_field("Content-Length", std::to_string(incoming_.size()));
    }
}

std::optional<std::string> fake_exchange::field(const std::string& name) const {
    const std::size_t at = head_text.find("\r\n" + name + ": ");
    if (at == std::string::npos) return std::nullopt;
    const std::size_t start = at + name.size() + 4;
    return head_text.substr(start, head_text.find("\r\n", start) - start);
}

int fake_exchange::status() const {
    if (failed_with != 0) return failed_with;
    return head_text.empty() ? 0 : std::stoi(head_text.substr(9, 3));
}

awaitable<result<std::size_t>> fake_exchange::read_body(std::span<char> into) {
    co_return *try_read_body(into);
}

std::optional<result<std::size_t>> fake_exchange::try_read_body(std::span<char> into) {
    const std::size_t count = std::min({read_size, into.size(), incoming_.size() - read_});
    if (count == 0 && read_error) return *read_error;
    std::memcpy(into.data(), incoming_.data() + read_, count);
    read_ += count;
    return count;
}

void fake_exchange::make_head(std::optional<std::uint64_t> length) {
    if (head_sent()) return;
    http::response_context context;
    context.request_version = request.version;
    context.head_request = request.method == "HEAD";
    context.body_length = length;
    context.date = "Sun, 06 Nov 1994 08:49:37 GMT";
    http::http1_writer writer;
    writer.begin(response_, context);
    const std::string out(writer.whole({}).parts[0]);
    head_text = out.substr(0, out.find("\r\n\r\n") + 4);
}

awaitable<error_code> fake_exchange::pass_gate() {
    if (gate != nullptr) {
        [[maybe_unused]] const auto [ec] = co_await gate->async_wait(as_tuple);
    }
    co_return next_outcome();
}

error_code fake_exchange::next_outcome() {
    if (writes_until_failure == 0) return errc::client_disconnected;
    if (writes_until_failure > 0) --writes_until_failure;
    return {};
}

void fake_exchange::respond(std::string whole) {
    make_head(whole.size());
    body = std::move(whole);
    responded = true;
}

awaitable<error_code> fake_exchange::send(std::string_view whole) {
    make_head(whole.size());
    const error_code ec = co_await pass_gate();
    if (ec) co_return ec;
    body.append(whole);
    sent_whole = true;
    co_return error_code{};
}

awaitable<error_code> fake_exchange::write(std::string_view piece) {
    make_head(std::nullopt);
    const error_code ec = co_await pass_gate();
    if (ec) co_return ec;
    body.append(piece);
    pieces.emplace_back(piece);
    co_return error_code{};
}

error_code fake_exchange::write_in_line(std::string_view piece, bool (*)()) {
    return *try_write(piece);
}

std::optional<error_code> fake_exchange::try_write(std::string_view piece) {
    make_head(std::nullopt);
    if (const error_code ec = next_outcome()) return ec;
    body.append(piece);
    pieces.emplace_back(piece);
    return error_code{};
}

awaitable<error_code> fake_exchange::write_file(int fd, std::uint64_t offset, std::uint64_t count) {
    make_head(std::nullopt);
    const error_code ec = co_await pass_gate();
    if (ec) co_return ec;
    std::string bytes(count, '\0');
    const ssize_t n = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) co_return error_code(errc::not_regular_file);
    body.append(bytes, 0, static_cast<std::size_t>(n));
    file_bytes += static_cast<std::uint64_t>(n);
    co_return error_code{};
}

awaitable<error_code> fake_exchange::finish() {
    make_head(std::nullopt);
    finished = true;
    co_return error_code{};
}

awaitable<result<std::shared_ptr<app::websocket>>> fake_exchange::accept_websocket(std::string) {
    co_return error_code(errc::websocket_closed);
}

void fake_exchange::fail(int status, std::string_view) {
    failed_with = status;
}

void fake_exchange::log_environ(std::string name, std::string value) {
    environ.emplace_back(std::move(name), std::move(value));
}

}  // namespace unicoro::testing
