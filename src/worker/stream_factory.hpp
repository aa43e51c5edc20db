// SPDX-License-Identifier: MIT
#pragma once

#include "worker/byte_stream.hpp"

#include <memory>

namespace unicoro::worker {

/// Makes the byte streams of a listener's connections. Owned by the worker, lives longer than they do.
class stream_factory {
  public:
    stream_factory() = default;
    stream_factory(const stream_factory&) = delete;
    stream_factory& operator=(const stream_factory&) = delete;
    virtual ~stream_factory() = default;

    /// Of an accepted descriptor, non-blocking and withheld from children; `family` is AF_INET, AF_INET6 or
    /// AF_UNIX. Throws where the loop cannot take it; then the descriptor is still the caller's.
    [[nodiscard]] virtual std::unique_ptr<byte_stream> make(int family, int fd) = 0;
};

}  // namespace unicoro::worker
