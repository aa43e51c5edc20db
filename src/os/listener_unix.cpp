// SPDX-License-Identifier: MIT
#include "os/descriptors.hpp"
#include "os/listener.hpp"

#include <sys/socket.h>

namespace unicoro::os {

outcome<listener> listen_unix(const unix_request& asked) noexcept {
    listener::state made;
    made.unix_socket = true;
    made.address = asked.path;
    made.fd = unique_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!made.fd) return make_failure(last_error(), "cannot listen on unix:" + asked.path);
    const int fd = made.fd.get();
    auto file = socket_file::bind(fd, asked.path, {asked.umask, asked.user, asked.group});
    if (!file) return file.error();
    listener result(std::move(made), std::move(*file));
    error_code failed = limit_accept_wait(fd);
    if (!failed && listen(fd, asked.backlog) != 0) failed = last_error();
    if (!failed) return result;
    result.remove_path();
    return make_failure(failed, "cannot listen on " + result.text());
}

}  // namespace unicoro::os
