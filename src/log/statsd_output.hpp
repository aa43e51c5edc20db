// SPDX-License-Identifier: MIT
#pragma once

#include "log/level.hpp"
#include "log/message_address.hpp"
#include "log/message_socket.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::log {

struct statsd_options {
    std::string host;    ///< as `parse_statsd_address` reads it
    std::string prefix;  ///< a point follows; empty = none
    std::string tags;    ///< of DogStatsD: "a:b,c:d"; empty = none
};

/// Reads HOST, HOST:PORT (8125 when not given) or unix://PATH as gunicorn does. Nothing for any other text.
[[nodiscard]] std::optional<message_address> parse_statsd_address(std::string_view written);

/// What that must be, for messages.
inline constexpr std::string_view statsd_address_forms = "HOST:PORT, or unix:///PATH of a datagram socket";

/// Metrics by gunicorn's names for a StatsD daemon, as datagrams that nobody waits for: what finds nobody or
/// no room is lost, as StatsD means it. Belongs to the logs in force. Never throws. Any thread.
class statsd_output {
  public:
    /// Nothing and `problem`, when the address is none or its host cannot be looked up.
    [[nodiscard]] static std::unique_ptr<statsd_output> open(
        const statsd_options& chosen, std::string& problem
    );

    /// gunicorn.requests, .request.duration (milliseconds) and .request.status.CODE
    void request(int status, std::chrono::nanoseconds duration) noexcept;
    /// gunicorn.log.warning, .error or .critical; other levels are not counted.
    void logged(level at) noexcept;
    /// A number of the moment, such as gunicorn.workers.
    void gauge(std::string_view name, std::int64_t value) noexcept;

  private:
    statsd_output(const statsd_options& chosen, message_address where);
    void send(std::string_view metrics) noexcept;

    message_socket socket_;
    std::string prefix_;
    std::string suffix_;
};

}  // namespace unicoro::log
