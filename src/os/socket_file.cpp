// SPDX-License-Identifier: MIT
#include "os/socket_file.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace unicoro::os {
namespace {

// SIOCUNIXFILE of <linux/un.h>, which does not go with <sys/un.h>: opens the file of a bound socket.
constexpr unsigned long open_bound_file = SIOCPROTOPRIVATE;

/// The umask of the process while this lives.
class scoped_umask {
  public:
    explicit scoped_umask(mode_t mask) noexcept : saved_(umask(mask)) {}
    scoped_umask(const scoped_umask&) = delete;
    scoped_umask& operator=(const scoped_umask&) = delete;
    ~scoped_umask() { umask(saved_); }

  private:
    mode_t saved_;
};

std::string describe(const std::string& path) {
    return "cannot listen on unix:" + path;
}

std::string path_of(int fd) {
    return "/proc/self/fd/" + std::to_string(fd);
}

enum class owner { somebody, nobody };

// A non-blocking connect tells a socket with an owner (accepted, or EAGAIN: its backlog is full) from
// a file left behind (ECONNREFUSED) without waiting for anyone.
result<owner> ask_for_owner(const socket_address& address) noexcept {
    const unique_fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!probe) return last_error();
    if (connect(probe.get(), address.data(), address.length) == 0) return owner::somebody;
    if (errno == EAGAIN || errno == EPROTOTYPE) return owner::somebody;
    if (errno == ECONNREFUSED || errno == ENOENT) return owner::nobody;
    return last_error();
}

error_code bind_under(mode_t mask, int fd, const socket_address& address) noexcept {
    const scoped_umask under(mask);
    return ::bind(fd, address.data(), address.length) == 0 ? error_code{} : last_error();
}

}  // namespace

// Where others can exchange the folder, the address leads through our descriptor of it.
result<socket_address> socket_file::address(const std::string& path) const noexcept {
    auto asked = unix_address(path);
    if (!asked || !folder_.way_is_shared()) return asked;
    return unix_address(path_of(folder_.fd()) + "/" + folder_.name());
}

bool socket_file::stands(const unique_fd& file) const noexcept {
    struct stat held{};
    struct stat found{};
    const char* const name = folder_.name().c_str();
    if (!file || fstat(file.get(), &held) != 0) return false;
    if (fstatat(folder_.fd(), name, &found, AT_SYMLINK_NOFOLLOW) != 0) return false;
    return found.st_dev == held.st_dev && found.st_ino == held.st_ino;
}

outcome<void> socket_file::remove_stale(const std::string& path) const {
    const unique_fd there(openat(folder_.fd(), folder_.name().c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!there && errno == ENOENT) return {};
    struct stat found{};
    if (!there || fstat(there.get(), &found) != 0) return make_failure(last_error(), describe(path));
    if (S_ISLNK(found.st_mode)) {
        return failure{
            system_error(EEXIST),
            describe(path) + ": the file is a symbolic link; remove it or name the path it leads to"
        };
    }
    if (!S_ISSOCK(found.st_mode)) {
        return failure{
            system_error(EEXIST),
            describe(path) + ": the file exists and is not a socket; remove it or choose another path"
        };
    }
    const auto there_address = address(path);
    if (!there_address) return make_failure(there_address.error(), describe(path));
    const auto found_owner = ask_for_owner(*there_address);
    if (!found_owner) {
        return make_failure(found_owner.error(), describe(path) + ": cannot tell whether it is in use");
    }
    if (*found_owner == owner::somebody) {
        return failure{
            system_error(EADDRINUSE), describe(path) + ": the socket is in use by another process"
        };
    }
    if (!stands(there)) return {};
    if (unlinkat(folder_.fd(), folder_.name().c_str(), 0) != 0 && errno != ENOENT) {
        return make_failure(last_error(), describe(path) + ": the stale socket cannot be removed");
    }
    return {};
}

// What stands under the name now may be somebody else's, put there since.
error_code socket_file::take_hold(int socket_fd) noexcept {
    // The kernel knows which file is ours, and tells those who may administer networks.
    file_.reset(ioctl(socket_fd, open_bound_file));
    if (file_) return {};
    file_.reset(openat(folder_.fd(), folder_.name().c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat found{};
    if (!file_ || fstat(file_.get(), &found) != 0) return last_error();
    const bool ours = S_ISSOCK(found.st_mode) && found.st_nlink == 1 && found.st_uid == geteuid();
    if (ours || !folder_.shared()) return {};
    file_.reset();
    return system_error(ESTALE);
}

outcome<socket_file> socket_file::bind(int socket_fd, const std::string& path, const file_rights& rights) {
    if (const auto possible = unix_address(path); !possible) {
        return make_failure(possible.error(), describe(path) + " (at most 107 bytes are possible)");
    }
    auto folder = base::parent_folder::of(path, base::parent_folder::last_link::keep);
    if (!folder) {
        const error_code code = system_error(folder.error().error);
        const bool missing = code == system_error(ENOENT);
        return failure{
            code,
            describe(path) + ": " + folder.error().reason +
                (missing ? "; create its folder, or choose another path" : "")
        };
    }
    socket_file made(std::move(*folder));
    const auto to = made.address(path);
    if (!to) return make_failure(to.error(), describe(path));
    // Root's file is for nobody until it has its owner.
    const mode_t mask = geteuid() == 0 ? 0777 : rights.umask & 0777;
    error_code failed = bind_under(mask, socket_fd, *to);
    if (failed == system_error(EADDRINUSE)) {
        if (const auto removed = made.remove_stale(path); !removed) return removed.error();
        failed = bind_under(mask, socket_fd, *to);
    }
    if (failed) return make_failure(failed, describe(path));
    failed = made.take_hold(socket_fd);
    if (!failed) failed = made.give(rights);
    if (failed) {
        made.remove();
        return make_failure(failed, describe(path));
    }
    return made;
}

outcome<socket_file> socket_file::resume(int socket_fd, const std::string& path) {
    auto folder = base::parent_folder::of(path, base::parent_folder::last_link::keep);
    if (!folder) {
        return failure{system_error(folder.error().error), describe(path) + ": " + folder.error().reason};
    }
    socket_file made(std::move(*folder));
    error_code failed = made.take_hold(socket_fd);
    struct stat held{};
    if (!failed && fstat(made.file_.get(), &held) != 0) failed = last_error();
    if (!failed && !(S_ISSOCK(held.st_mode) && made.stands(made.file_))) failed = system_error(ESTALE);
    if (failed) return make_failure(failed, describe(path));
    return made;
}

error_code socket_file::give(const file_rights& rights) const noexcept {
    if (rights.user || rights.group) {
        const uid_t uid = rights.user.value_or(static_cast<uid_t>(-1));
        const gid_t gid = rights.group.value_or(static_cast<gid_t>(-1));
        if (fchownat(file_.get(), "", uid, gid, AT_EMPTY_PATH) != 0) return last_error();
    }
    const mode_t mode = 0777 & ~rights.umask;
    if (chmod(path_of(file_.get()).c_str(), mode) == 0) return {};
    // Without /proc there is only the name.
    if (errno != ENOENT || folder_.shared()) return last_error();
    if (fchmodat(folder_.fd(), folder_.name().c_str(), mode, 0) != 0) return last_error();
    return {};
}

void socket_file::remove() const noexcept {
    if (stands(file_)) unlinkat(folder_.fd(), folder_.name().c_str(), 0);
}

}  // namespace unicoro::os
