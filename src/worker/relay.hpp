// SPDX-License-Identifier: MIT
#pragma once

#include "aio/task_group.hpp"
#include "os/forks.hpp"
#include "worker/byte_stream.hpp"
#include "worker/socket_stream.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace unicoro::worker {

/// Carries bytes between a client and an application that has the other end of a socket pair: bytes
/// that were read from the client already cannot be put back into its socket.
class relay {
  public:
    /// `client` outlives it; `early` came from there before. Takes our end of the pair.
    relay(asio::io_context& io, byte_stream& client, os::withheld_fd inner, std::string early);
    relay(const relay&) = delete;
    relay& operator=(const relay&) = delete;

    /// Starts one coroutine for each direction; they end by themselves or with the group, which must be
    /// empty before the relay goes.
    void start(aio::task_group& tasks);

    /// The application reads its input to the end; what it writes goes on.
    void end_input() noexcept;

    /// Bytes that the client was sent.
    [[nodiscard]] std::uint64_t sent() const noexcept { return out_.carried; }

    /// Once no coroutine runs: ends the application's side and returns what it wrote last.
    [[nodiscard]] std::string take_rest();

  private:
    /// One direction; outlives its coroutine with what was read and is not written yet.
    struct flow {
        std::unique_ptr<char[]> buffer;
        std::string early;
        std::string_view held;
        std::uint64_t carried = 0;
    };
    enum class outcome { input_ended, output_failed, cancelled };

    awaitable<void> carry_in();
    awaitable<void> carry_out();
    awaitable<outcome> carry(byte_stream& from, byte_stream& to, flow& bytes);

    asio::io_context& io_;
    byte_stream& client_;
    socket_stream inner_;
    flow in_;
    flow out_;
};

}  // namespace unicoro::worker
