// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"

#include <string>

namespace unicoro::python {

/// A request that can be taken away from the code that runs in it: passes everything on to the real
/// exchange until `detach`, and afterwards keeps quiet. What the application still does in a request
/// that was answered without it touches nothing.
class detachable_exchange final : public app::exchange {
  public:
    explicit detachable_exchange(app::exchange& real) noexcept : real_(&real) { is_at(real.where()); }

    void detach();
    [[nodiscard]] bool detached() const noexcept { return real_ == nullptr; }
    /// Not once it is detached.
    [[nodiscard]] app::exchange& real() const noexcept { return *real_; }

    const http::request_head& head() const noexcept override;
    app::connection_info& connection() noexcept override;
    aio::task_group& nursery() noexcept override;
    awaitable<result<std::size_t>> read_body(std::span<char> into) override;
    std::optional<result<std::size_t>> try_read_body(std::span<char> into) override;
    awaitable<void> wait_disconnect() override;
    void hint(const http::response_head& hints) override;
    http::response_head& response() noexcept override;
    bool head_sent() const noexcept override;
    void respond(std::string body) override;
    awaitable<error_code> send(std::string_view body) override;
    awaitable<error_code> write(std::string_view piece) override;
    std::optional<error_code> try_write(std::string_view piece) override;
    awaitable<error_code> write_rest() override;
    error_code write_in_line(std::string_view piece, bool (*give_up)()) override;
    awaitable<error_code> write_file(int fd, std::uint64_t offset, std::uint64_t count) override;
    awaitable<error_code> finish() override;
    awaitable<result<std::shared_ptr<app::websocket>>> accept_websocket(std::string subprotocol) override;
    std::shared_ptr<app::connection_offer> offer_connection(app::loop_meanwhile loop) override;
    void fail(int status, std::string_view detail) override;
    bool disconnected() const noexcept override;
    std::optional<std::chrono::nanoseconds> waited() noexcept override;
    std::span<const std::string> logged_environ() const noexcept override;
    void log_environ(std::string name, std::string value) override;

  private:
    /// What is left of it.
    struct remains {
        std::string method;
        std::string target;
        http::request_head head;
        app::connection_info connection;
        http::response_head response;
        bool head_sent = false;
    };

    app::exchange* real_;
    std::unique_ptr<remains> remains_;
};

}  // namespace unicoro::python
