// SPDX-License-Identifier: MIT
#pragma once

#include "aio/deadline.hpp"
#include "worker/byte_stream.hpp"

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace unicoro::worker {

struct serving;

/// The bytes under a WebSocket, in the form of Asio's asynchronous operations: one read and one write
/// at a time. What waits holds it, so that it may outlive the stream it was made for, which it does
/// not touch any more once it was broken off.
class websocket_transport : public std::enable_shared_from_this<websocket_transport> {
  public:
    /// What waits for a read or write. Called once, then destroyed.
    class operation {
      public:
        virtual ~operation() = default;
        virtual void complete(error_code ec, std::size_t bytes) = 0;
    };
    using io_handler = std::unique_ptr<operation>;

    static constexpr std::size_t most_pieces = 8;
    using pieces = std::array<iovec, most_pieces>;

    /// `early` are bytes that came behind the handshake.
    websocket_transport(serving& shared, byte_stream& stream, std::string early);

    /// Reads what is there, at least one byte. `done` is never called from here.
    void read(asio::mutable_buffer into, io_handler done);
    /// Writes what the kernel takes, at least one byte; limited by send_timeout.
    void write(const pieces& from, std::size_t count, io_handler done);

    /// While set, what is written counts as sent and is thrown away.
    void discard_writes(bool discard) noexcept { discarding_ = discard; }

    /// Whole frames that go out before whatever is written next. Only between frames.
    void write_first(std::string frames) { first_.append(frames); }

    /// Writes a last frame if the kernel takes it at once. Only between frames.
    void try_write_last(std::string_view frame) noexcept;

    /// Fails what runs and whatever is asked for later (operation_aborted).
    void break_off() noexcept;

    [[nodiscard]] asio::io_context& io() const noexcept;
    [[nodiscard]] bool broken_off() const noexcept { return stream_ == nullptr; }
    /// send_timeout broke it off.
    [[nodiscard]] bool stalled() const noexcept { return stalled_; }
    [[nodiscard]] std::uint64_t bytes_received() const noexcept { return received_; }
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return sent_; }

  private:
    struct readable;
    struct writable;

    static void send_expired(aio::deadline& which, void* self) noexcept;

    void finish_later(io_handler done, error_code ec, std::size_t bytes);
    void wait_to_read();
    void wait_to_write();
    void try_to_read(error_code ec);
    void try_to_write(error_code ec);
    io_step put(std::span<const iovec> from) noexcept;

    serving& shared_;
    byte_stream* stream_;
    std::string early_;
    std::size_t early_used_ = 0;
    asio::mutable_buffer into_;
    io_handler on_read_;
    pieces from_{};
    std::size_t from_count_ = 0;
    io_handler on_written_;
    std::string first_;
    aio::deadline send_limit_;
    std::uint64_t received_ = 0;
    std::uint64_t sent_ = 0;
    bool drained_ = true;  // the last read was short: nothing was left then
    bool stalled_ = false;
    bool discarding_ = false;
};

}  // namespace unicoro::worker
