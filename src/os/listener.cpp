// SPDX-License-Identifier: MIT
#include "os/listener.hpp"

#include "os/socket_address.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace unicoro::os {

std::uint16_t listener::port() const noexcept {
    const auto address = local_address(fd());
    return address ? address->port() : std::uint16_t{0};
}

error_code listener::set_backlog(int backlog) const noexcept {
    if (!listening()) return {};
    return listen(fd(), backlog) == 0 ? error_code{} : last_error();
}

bool listener::owns_path() const noexcept {
    if (state_->inode == 0) return false;
    struct stat found {};
    if (lstat(state_->path.c_str(), &found) != 0) return false;
    return found.st_dev == state_->device && found.st_ino == state_->inode;
}

error_code listener::set_path_rights(
    mode_t umask, std::optional<uid_t> user, std::optional<gid_t> group
) const noexcept {
    if (!owns_path()) return {};
    const char* path = state_->path.c_str();
    if (user || group) {
        const uid_t uid = user.value_or(static_cast<uid_t>(-1));
        const gid_t gid = group.value_or(static_cast<gid_t>(-1));
        if (lchown(path, uid, gid) != 0) return last_error();
    }
    if (chmod(path, 0777 & ~umask) != 0) return last_error();
    return {};
}

void listener::remove_path() const noexcept {
    if (owns_path()) unlink(state_->path.c_str());
}

}  // namespace unicoro::os
