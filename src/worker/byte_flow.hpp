// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"

#include <unicoro/result.hpp>

#include <sys/uio.h>

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

/// Bytes both ways between the server and a client, whatever carries them. The try_ functions never block;
/// the waits suspend the coroutine.
class byte_flow {
  public:
    byte_flow() = default;
    byte_flow(const byte_flow&) = delete;
    byte_flow& operator=(const byte_flow&) = delete;
    virtual ~byte_flow() = default;

    virtual io_step try_read(std::span<char> into) noexcept = 0;
    virtual io_step try_write(std::span<const iovec> pieces) noexcept = 0;

    virtual awaitable<std::tuple<error_code>> wait_readable() = 0;
    virtual awaitable<std::tuple<error_code>> wait_writable() = 0;

    /// Ends the waits: with operation_aborted, or as if there were something.
    virtual void cancel() noexcept = 0;
};

}  // namespace unicoro::worker
