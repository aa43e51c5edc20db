// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "app/connection_info.hpp"
#include "os/unique_fd.hpp"
#include "worker/byte_flow.hpp"

#include <unicoro/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <tuple>

namespace unicoro::worker {

/// The bytes under a connection, of whatever carries them: a socket, or what encrypts or imitates one.
/// Made by the stream_factory of its listener, owned by the connection. The try_ functions make at most one
/// system call. `cancel` ends the waits with operation_aborted.
class byte_stream : public byte_flow {
  public:
    /// Adds what the stream knows of itself (app::connection_info::stream) once its first bytes could be
    /// read.
    virtual void describe(app::connection_info&) const {}

    /// From a regular file by sendfile(2); advances `offset`.
    virtual io_step try_send_file(int fd, std::uint64_t& offset, std::size_t count) noexcept = 0;

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
