// SPDX-License-Identifier: MIT
#include "python/wsgi/detachable_exchange.hpp"

#include <cassert>
#include <utility>

namespace unicoro::python {

void detachable_exchange::detach() {
    if (detached()) return;
    remains_ = std::make_unique<remains>();
    remains_->method = real_->head().method;
    remains_->target = real_->head().target;
    remains_->head.method = remains_->method;
    remains_->head.target = remains_->target;
    remains_->head_sent = real_->head_sent();
    real_ = nullptr;
}

const http::request_head& detachable_exchange::head() const noexcept {
    return detached() ? remains_->head : real_->head();
}

app::connection_info& detachable_exchange::connection() noexcept {
    return detached() ? remains_->connection : real_->connection();
}

void detachable_exchange::hint(const http::response_head& hints) {
    if (!detached()) real_->hint(hints);
}

http::response_head& detachable_exchange::response() noexcept {
    return detached() ? remains_->response : real_->response();
}

bool detachable_exchange::head_sent() const noexcept {
    return detached() ? remains_->head_sent : real_->head_sent();
}

void detachable_exchange::respond(std::string body) {
    if (!detached()) real_->respond(std::move(body));
}

void detachable_exchange::fail(int status, std::string_view detail) {
    if (!detached()) real_->fail(status, detail);
}

bool detachable_exchange::disconnected() const noexcept {
    return detached() || real_->disconnected();
}

std::optional<std::chrono::nanoseconds> detachable_exchange::waited() noexcept {
    return detached() ? std::nullopt : real_->waited();
}

std::span<const std::string> detachable_exchange::logged_environ() const noexcept {
    return detached() ? std::span<const std::string>() : real_->logged_environ();
}

void detachable_exchange::log_environ(std::string name, std::string value) {
    if (!detached()) real_->log_environ(std::move(name), std::move(value));
}

// Only the coroutine of the connection awaits and starts others, and that is what detaches.

aio::task_group& detachable_exchange::nursery() noexcept {
    assert(!detached());
    return real_->nursery();
}

awaitable<result<std::size_t>> detachable_exchange::read_body(std::span<char> into) {
    assert(!detached());
    return real_->read_body(into);
}

std::optional<result<std::size_t>> detachable_exchange::try_read_body(std::span<char> into) {
    assert(!detached());
    return real_->try_read_body(into);
}

awaitable<void> detachable_exchange::wait_disconnect() {
    assert(!detached());
    return real_->wait_disconnect();
}

awaitable<error_code> detachable_exchange::send(std::string_view body) {
    assert(!detached());
    return real_->send(body);
}

awaitable<error_code> detachable_exchange::write(std::string_view piece) {
    assert(!detached());
    return real_->write(piece);
}

std::optional<error_code> detachable_exchange::try_write(std::string_view piece) {
    assert(!detached());
    return real_->try_write(piece);
}

awaitable<error_code> detachable_exchange::write_rest() {
    assert(!detached());
    return real_->write_rest();
}

error_code detachable_exchange::write_in_line(std::string_view piece, bool (*give_up)()) {
    assert(!detached());
    return real_->write_in_line(piece, give_up);
}

awaitable<error_code> detachable_exchange::write_file(int fd, std::uint64_t offset, std::uint64_t count) {
    assert(!detached());
    return real_->write_file(fd, offset, count);
}

awaitable<error_code> detachable_exchange::finish() {
    assert(!detached());
    return real_->finish();
}

awaitable<result<std::shared_ptr<app::websocket>>> detachable_exchange::accept_websocket(
    std::string subprotocol
) {
    assert(!detached());
    return real_->accept_websocket(std::move(subprotocol));
}

std::shared_ptr<app::connection_offer> detachable_exchange::offer_connection(app::loop_meanwhile loop) {
    assert(!detached());
    return real_->offer_connection(loop);
}

}  // namespace unicoro::python
