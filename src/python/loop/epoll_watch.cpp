// SPDX-License-Identifier: MIT
#include "python/loop/epoll_watch.hpp"

namespace unicoro::python {

error_code epoll_watch::open(int epoll_fd) {
    close();
    watched_.emplace(io_);
    const error_code failed = watched_->open(epoll_fd);
    if (failed) watched_.reset();
    return failed;
}

void epoll_watch::close() noexcept {
    watched_.reset();
    armed_ = ready_ = false;
}

void epoll_watch::arm() {
    if (armed_ || !watched_) return;
    armed_ = true;
    ready_ = false;
    // Arming it looks at it anew (EPOLL_CTL_MOD), which is what makes it level-triggered.
    (*watched_)->async_wait(asio::posix::descriptor_base::wait_read, [this](error_code failed) {
        // Aborted: `close` has let go of it, and perhaps another one is watched by now.
        if (failed == asio::error::operation_aborted) return;
        armed_ = false;
        ready_ = true;
        if (on_ready_) on_ready_();
    });
}

}  // namespace unicoro::python
