// SPDX-License-Identifier: MIT
#include "aio/watched_duplicate.hpp"

#include "os/forks.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace unicoro::aio {

watched_duplicate::~watched_duplicate() {
    if (!watched_.is_open()) return;
    os::fork_pause pause;
    pause.forget(watched_.native_handle());
    error_code ignored;
    watched_.close(ignored);
}

error_code watched_duplicate::open(int fd) {
    os::fork_pause pause;
    const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0) return {errno, boost::system::system_category()};
    error_code failed;
    watched_.assign(own, failed);
    if (failed) {
        ::close(own);
    } else {
        pause.withhold(own, os::withheld_as::useless);
    }
    return failed;
}

}  // namespace unicoro::aio
