// SPDX-License-Identifier: MIT
#pragma once

#include "aio/event.hpp"
#include "worker/byte_stream.hpp"

#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

namespace worker_test {

/// Both ends of a connection without a socket: a test says what the client sends and reads what it gets.
class memory_stream final : public unicoro::worker::byte_stream {
  public:
    /// `tell` is what the stream knows of itself.
    explicit memory_stream(
        boost::asio::io_context& io, std::function<void(unicoro::app::connection_info&)> tell = {}
    );

    void client_sends(std::string_view bytes);
    /// How many bytes the client takes before it would have to be waited for; without this call, all.
    void leave_room(std::size_t bytes) noexcept { room_ = bytes; }
    [[nodiscard]] const std::string& sent() const noexcept { return sent_; }

    void describe(unicoro::app::connection_info& into) const override;
    unicoro::worker::io_step try_read(std::span<char> into) noexcept override;
    unicoro::worker::io_step try_write(std::span<const iovec> pieces) noexcept override;
    unicoro::worker::io_step try_send_file(
        int fd, std::uint64_t& offset, std::size_t count
    ) noexcept override;
    unicoro::awaitable<std::tuple<unicoro::error_code>> wait_readable() override;
    unicoro::awaitable<std::tuple<unicoro::error_code>> wait_writable() override;
    unicoro::awaitable<std::tuple<unicoro::error_code>> wait_idle() override;
    bool readable_now() noexcept override;
    bool block_writable(std::chrono::milliseconds) noexcept override { return true; }
    bool block_readable(std::chrono::milliseconds) noexcept override { return readable_now(); }
    void cancel() noexcept override;
    void shutdown_write() noexcept override {}
    void shutdown_read() noexcept override { close(); }
    unicoro::os::unique_fd duplicate() noexcept override { return {}; }
    void reset_on_close() noexcept override {}
    void close() noexcept override;

  private:
    std::function<void(unicoro::app::connection_info&)> tell_;
    unicoro::aio::event readable_;
    std::string incoming_;
    std::string sent_;
    std::size_t room_ = std::numeric_limits<std::size_t>::max();
    bool ended_ = false;
    bool cancelled_ = false;
};

}  // namespace worker_test
