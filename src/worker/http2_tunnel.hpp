// SPDX-License-Identifier: MIT
#pragma once

#include "aio/event.hpp"
#include "worker/byte_flow.hpp"

#include <string>

namespace unicoro::worker {

class http2_connection;
class http2_stream;

/// The bytes in the DATA frames of a stream that has become a tunnel (RFC 8441, 5). Reading gives the client
/// room for more, and what was written must have found room before more is taken: that is the back-pressure.
/// END_STREAM of the client is the end of what can be read, a stream that is closed otherwise has failed.
/// Owned by its stream, which keeps it as long as the session may touch what was written. It starts nothing;
/// who waits is woken by `cancel`, and does not touch it behind that.
class http2_tunnel final : public byte_flow {
  public:
    http2_tunnel(asio::io_context& io, http2_connection& through, http2_stream& of);

    /// Something of the stream has changed. From within a call of the session.
    void notice() noexcept;

    // --- byte_flow
    io_step try_read(std::span<char> into) noexcept override;
    io_step try_write(std::span<const iovec> pieces) noexcept override;
    awaitable<std::tuple<error_code>> wait_readable() override { return to_read_.wait(); }
    awaitable<std::tuple<error_code>> wait_writable() override { return to_write_.wait(); }
    void cancel() noexcept override;

  private:
    void give(std::span<const iovec> pieces);

    http2_connection& through_;
    http2_stream& stream_;
    std::string unsent_;  // the session may read it until it has taken all
    aio::event to_read_;
    aio::event to_write_;
};

}  // namespace unicoro::worker
