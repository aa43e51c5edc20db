// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace unicoro::testing {

using gate_timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock,
    boost::asio::wait_traits<std::chrono::steady_clock>,
    executor>;

/// An exchange without a network: a request made by hand, and a record of what the host did with
/// it.
class fake_exchange final : public app::exchange {
  public:
    explicit fake_exchange(std::string target, std::string method = "GET");

    // --- the request
    void add_field(std::string name, std::string value);
    void give_body(std::string body, http::body_framing framing = http::body_framing::length);

    http::request_head request;
    app::connection_info ends;
    std::size_t read_size = 7;             ///< bytes per read_body
    std::optional<error_code> read_error;  ///< comes instead of the end of the body

    // --- what fails and waits
    int writes_until_failure = -1;
    gate_timer* gate = nullptr;  ///< writes wait for it

    // --- the response
    std::string head_text;  ///< as it went out; empty = nothing was sent
    std::string body;
    std::vector<std::string> pieces;
    int failed_with = 0;
    bool responded = false;
    bool finished = false;
    bool sent_whole = false;
    std::uint64_t file_bytes = 0;
    std::vector<std::string> wanted_environ;
    std::vector<std::pair<std::string, std::string>> environ;

    /// The value of a response field, or nothing.
    [[nodiscard]] std::optional<std::string> field(const std::string& name) const;
    /// The status that went out, or that of `fail`.
    [[nodiscard]] int status() const;

    // --- app::exchange
    const http::request_head& head() const noexcept override { return request; }
    app::connection_info& connection() noexcept override { return ends; }
    aio::task_group& nursery() noexcept override { return nursery_; }
    awaitable<result<std::size_t>> read_body(std::span<char> into) override;
    std::optional<result<std::size_t>> try_read_body(std::span<char> into) override;
    awaitable<void> wait_disconnect() override { co_return; }
    void hint(const http::response_head&) override {}
    http::response_head& response() noexcept override { return response_; }
    bool head_sent() const noexcept override { return !head_text.empty(); }
    void respond(std::string whole) override;
    awaitable<error_code> send(std::string_view whole) override;
    awaitable<error_code> write(std::string_view piece) override;
    std::optional<error_code> try_write(std::string_view piece) override;
    awaitable<error_code> write_rest() override { co_return error_code{}; }
    error_code write_in_line(std::string_view piece, bool (*give_up)()) override;
    awaitable<error_code> write_file(int fd, std::uint64_t offset, std::uint64_t count) override;
    awaitable<error_code> finish() override;
    awaitable<result<std::shared_ptr<app::websocket>>> accept_websocket(std::string subprotocol) override;
    std::shared_ptr<app::connection_offer> offer_connection(app::loop_meanwhile) override { return nullptr; }
    void fail(int status, std::string_view detail) override;
    bool disconnected() const noexcept override { return false; }
    std::span<const std::string> logged_environ() const noexcept override { return wanted_environ; }
    void log_environ(std::string name, std::string value) override;

  private:
    void make_head(std::optional<std::uint64_t> length);
    awaitable<error_code> pass_gate();
    error_code next_outcome();

    boost::asio::io_context idle_;
    aio::task_group nursery_{idle_};
    std::string target_;
    std::string method_;
    std::vector<std::pair<std::string, std::string>> texts_;
    std::vector<http::field> fields_;
    std::string incoming_;
    std::size_t read_ = 0;
    http::response_head response_;
};

}  // namespace unicoro::testing
