// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/unicoro.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>

namespace probe {

/// A pair of FIFOs that a test made: `path`.in tells it that this point was reached, a byte in
/// `path`.out lets the application go on.
class gate {
  public:
    explicit gate(const std::string& path)
        : in_(open((path + ".in").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)),
          out_(open((path + ".out").c_str(), O_RDWR | O_CLOEXEC)) {
        if (in_ < 0 || out_ < 0) throw std::runtime_error("no gate at " + path);
    }
    gate(const gate&) = delete;
    gate& operator=(const gate&) = delete;
    ~gate() {
        close(in_);
        if (out_ >= 0) close(out_);
    }

    void announce() {
        const char byte = '!';
        if (write(in_, &byte, 1) != 1) throw std::runtime_error("nobody watches the gate");
    }

    /// Holds the whole worker, whatever signals come.
    void block() {
        announce();
        char byte = 0;
        while (read(out_, &byte, 1) < 0 && errno == EINTR) continue;
    }

    /// Holds this coroutine only.
    unicoro::awaitable<void> pass() {
        const auto here = co_await boost::asio::this_coro::executor;
        fcntl(out_, F_SETFL, O_NONBLOCK);
        boost::asio::posix::basic_stream_descriptor<unicoro::executor> released(here, out_);
        out_ = -1;
        announce();
        char byte = 0;
        const auto room = boost::asio::buffer(&byte, 1);
        co_await released.async_read_some(room, unicoro::use_awaitable);
    }

  private:
    int in_;
    int out_;
};

}  // namespace probe
