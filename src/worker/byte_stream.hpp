// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "app/connection_info.hpp"
#include "os/unique_fd.hpp"

#include <unicoro/result.hpp>

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>

namespace unicoro::worker {

enum class io_status : std::uint8_t { done, would_block, end, failed };

/// What a step came to; `why` it failed.
struct io_step {
    io_status status;
    std::size_t bytes = 0;
    error_code why = {};
};

/// The bytes under a connection, of whatever carries them: a socket, or what encrypts or imitates one.
/// Made by the stream_factory of its listener, owned by the connection. The try_ functions never block and
/// make at most one system call; the waits suspend the coroutine.
class byte_stream {
  public:
    byte_stream() = default;
    byte_stream(const byte_stream&) = delete;
    byte_stream& operator=(const byte_stream&) = delete;
    virtual ~byte_stream() = default;

    /// Adds what the stream knows of itself (app::connection_info::stream) once its first bytes could be
    /// read.
    virtual void describe(app::connection_info&) const {}

    virtual io_step try_read(std::span<char> into) noexcept = 0;
    virtual io_step try_write(std::span<const iovec> pieces) noexcept = 0;
    /// From a regular file by sendfile(2); advances `offset`.
    virtual io_step try_send_file(int fd, std::uint64_t& offset, std::size_t count) noexcept = 0;

    virtual awaitable<std::tuple<error_code>> wait_readable() = 0;
    virtual awaitable<std::tuple<error_code>> wait_writable() = 0;

    /// The wait for a next request, which may complete for nothing, or with try_again to be begun again.
    /// Cancellation slots do not end it.
    virtual awaitable<std::tuple<error_code>> wait_idle() = 0;
    /// Are there bytes, an end of file or an error to read? Takes nothing away.
    virtual bool readable_now() noexcept = 0;

    /// How long ago the last bytes came, read or not; zero where that cannot be told.
    [[nodiscard]] virtual std::chrono::nanoseconds since_received() const noexcept {
        return std::chrono::nanoseconds::zero();
    }

    /// Without the loop, for code that holds it: true when something can be written or has failed, false
    /// when the time has passed or a signal came.
    virtual bool block_writable(std::chrono::milliseconds most) noexcept = 0;
    /// The same for what can be read.
    virtual bool block_readable(std::chrono::milliseconds most) noexcept = 0;

    /// Ends the waits with operation_aborted.
    virtual void cancel() noexcept = 0;
    /// No more bytes will be sent (FIN).
    virtual void shutdown_write() noexcept = 0;
    /// What has not come yet will not be read: who waits for it sees the end.
    virtual void shutdown_read() noexcept = 0;
    /// Whether its socket carries what is read and written as it is, so that others can go on with it.
    [[nodiscard]] virtual bool transparent() const noexcept { return true; }
    /// A descriptor of the same connection for somebody else; none when there are too many. `close` ends
    /// the connection for its holder too.
    [[nodiscard]] virtual os::unique_fd duplicate() noexcept = 0;
    /// Makes the close a reset, so that the client cannot take a cut response for a whole one.
    virtual void reset_on_close() noexcept = 0;
    virtual void close() noexcept = 0;
};

}  // namespace unicoro::worker
