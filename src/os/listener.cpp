// SPDX-License-Identifier: MIT
#include "os/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace unicoro::os {

std::string listener::text(bool encrypted) const {
    if (is_unix()) return "unix:" + address();
    const bool brackets = address().find(':') != std::string::npos;
    const std::string scheme = encrypted ? "https://" : "http://";
    return scheme + (brackets ? "[" + address() + "]" : address()) + ":" + std::to_string(port());
}

error_code listener::set_backlog(int backlog) const noexcept {
    return listen(fd(), backlog) == 0 ? error_code{} : last_error();
}

void listener::restore_flags() const noexcept {
    const int flags = fcntl(fd(), F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) == 0) fcntl(fd(), F_SETFL, flags | O_NONBLOCK);
}

error_code listener::set_path_rights(const file_rights& rights) const noexcept {
    return file_ ? file_->give(rights) : error_code{};
}

void listener::remove_path() const noexcept {
    if (file_) file_->remove();
}

listener listener::socket_only() const noexcept {
    listener copy = *this;
    copy.file_.reset();
    return copy;
}

}  // namespace unicoro::os
