// SPDX-License-Identifier: MIT
#pragma once

#include "worker/byte_stream.hpp"
#include "worker/edge_socket.hpp"
#include "worker/stream_factory.hpp"

#include <memory>

namespace unicoro::worker {

/// A connected TCP or unix socket. In a child that the application forks it is closed.
class socket_stream final : public byte_stream {
  public:
    /// Takes a non-blocking descriptor that is withheld from children; `family` is AF_INET, AF_INET6 or
    /// AF_UNIX. With `waits`, which outlive it, the wait for a next request costs less.
    socket_stream(asio::io_context& io, int family, int fd, const edge_waits* waits = nullptr);
    ~socket_stream() override;

    io_step try_read(std::span<char> into) noexcept override;
    io_step try_write(std::span<const iovec> pieces) noexcept override;
    io_step try_send_file(int fd, std::uint64_t& offset, std::size_t count) noexcept override;
    awaitable<std::tuple<error_code>> wait_readable() override;
    awaitable<std::tuple<error_code>> wait_idle() override;
    bool readable_now() noexcept override;
    std::chrono::nanoseconds since_received() const noexcept override;
    awaitable<std::tuple<error_code>> wait_writable() override;
    bool block_writable(std::chrono::milliseconds most) noexcept override;
    bool block_readable(std::chrono::milliseconds most) noexcept override;
    void cancel() noexcept override;
    void shutdown_write() noexcept override;
    void shutdown_read() noexcept override;
    void shutdown_both() noexcept;
    os::unique_fd duplicate() noexcept override;
    void reset_on_close() noexcept override;
    void close() noexcept override;

  private:
    [[nodiscard]] int own_fd() const noexcept;

    edge_socket socket_;
    const edge_waits* waits_;
    int fd_;
    bool drained_ = true;  // the last read was short: nothing was left then
    bool shared_ = false;  // there is a duplicate, or was
    bool reset_ = false;
};

/// The streams of a listener whose clients speak in clear text.
class socket_streams final : public stream_factory {
  public:
    socket_streams(asio::io_context& io, aio::deadline_service& deadlines);

    std::unique_ptr<byte_stream> make(int family, int fd) override;

  private:
    asio::io_context& io_;
    edge_waits waits_;
};

}  // namespace unicoro::worker
