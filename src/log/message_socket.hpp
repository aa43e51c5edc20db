// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"
#include "log/message_address.hpp"
#include "log/process_lock.hpp"

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace unicoro::log {

/// What becomes of a message that finds no room.
enum class unsent : bool { waits, is_lost };

/// A connection to a daemon that never holds up who logs: what finds no room is lost, or waits in memory, up
/// to a bound, and goes out with the next messages. Connects when it has something to say, and again a second
/// after that failed. Datagrams of many processes go through one socket; of a stream each process has its
/// own, so that messages do not mix. In a child nothing waits: the parent sends it. Any thread.
class message_socket {
  public:
    explicit message_socket(message_address where, unsent messages = unsent::waits)
        : where_(std::move(where)), unsent_(messages) {}
    message_socket(const message_socket&) = delete;
    message_socket& operator=(const message_socket&) = delete;

    /// Looks up the host. Returns why that was not possible. That nobody listens is no failure: it may come.
    [[nodiscard]] std::optional<std::string> resolve();

    /// A stream: messages are ended by newlines, and have none inside.
    [[nodiscard]] bool is_stream() const noexcept;

    /// False with errno when the message is lost.
    bool send(std::string_view message) noexcept;
    /// Sends what waits, as far as there is room.
    void flush() noexcept;
    /// What was given to `send` has gone, or is lost.
    [[nodiscard]] bool settled() noexcept;

  private:
    using clock = std::chrono::steady_clock;
    struct target {
        sockaddr_storage address{};
        socklen_t size = 0;
        int type = SOCK_DGRAM;
    };
    enum class outcome { sent, full, failed };

    void enter(pid_t self) noexcept;
    [[nodiscard]] bool connected() noexcept;
    [[nodiscard]] base::unique_fd connect(int type) const noexcept;
    outcome put(std::string_view message, std::size_t& taken) noexcept;
    void send_waiting() noexcept;
    bool keep(std::string_view message, std::size_t taken) noexcept;
    void fail() noexcept;

    message_address where_;
    unsent unsent_;
    target target_;
    process_lock::holder holder_{0};
    base::unique_fd fd_;
    pid_t owner_ = 0;  ///< the process that connected a stream, and whose messages wait
    clock::time_point again_{};
    int why_ = 0;                      ///< errno of the last failure
    std::unique_ptr<char[]> waiting_;  ///< messages, each behind its size
    std::size_t used_ = 0;
    std::size_t gone_ = 0;  ///< of the first of them
};

}  // namespace unicoro::log
