// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"

#include <unicoro/result.hpp>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

namespace unicoro::aio {

/// A duplicate of someone else's descriptor for Asio to watch, which closes what it watches. Children that
/// the application forks do not get it. Must outlive the waits on it; destroyed, it ends them.
class watched_duplicate {
  public:
    using descriptor = asio::posix::basic_stream_descriptor<executor>;

    explicit watched_duplicate(asio::io_context& io) : watched_(io) {}
    watched_duplicate(const watched_duplicate&) = delete;
    watched_duplicate& operator=(const watched_duplicate&) = delete;
    ~watched_duplicate();

    /// Once.
    [[nodiscard]] error_code open(int fd);

    [[nodiscard]] descriptor* operator->() noexcept { return &watched_; }

  private:
    descriptor watched_;
};

}  // namespace unicoro::aio
