// SPDX-License-Identifier: MIT
#include "os/listener.hpp"
#include "os/socket_address.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace unicoro::os {
namespace {

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

std::string describe(const unix_request& asked) { return "cannot listen on unix:" + asked.path; }

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

outcome<void> remove_stale(const unix_request& asked, const socket_address& address) {
    struct stat found {};
    if (lstat(asked.path.c_str(), &found) != 0) return make_failure(last_error(), describe(asked));
    if (!S_ISSOCK(found.st_mode)) {
        return failure{
            system_error(EEXIST),
            describe(asked) + ": the file exists and is not a socket; remove it or choose another path"};
    }
    const auto found_owner = ask_for_owner(address);
    if (!found_owner) {
        return make_failure(found_owner.error(), describe(asked) + ": cannot tell whether it is in use");
    }
    if (*found_owner == owner::somebody) {
        return failure{
            system_error(EADDRINUSE),
            describe(asked) + ": the socket is in use by another process"};
    }
    if (unlink(asked.path.c_str()) != 0 && errno != ENOENT) {
        return make_failure(last_error(), describe(asked) + ": the stale socket cannot be removed");
    }
    return {};
}

error_code bind_under_umask(int fd, const socket_address& address, mode_t mask) noexcept {
    const scoped_umask under(mask & 0777);
    return bind(fd, address.data(), address.length) == 0 ? error_code{} : last_error();
}

// The file is ours from the bind on, so whatever fails later must take it away again.
error_code finish(listener::state& made, const unix_request& asked) noexcept {
    struct stat bound {};
    if (lstat(asked.path.c_str(), &bound) != 0) return last_error();
    made.device = bound.st_dev;
    made.inode = bound.st_ino;
    if (asked.user || asked.group) {
        const uid_t uid = asked.user.value_or(static_cast<uid_t>(-1));
        const gid_t gid = asked.group.value_or(static_cast<gid_t>(-1));
        if (lchown(asked.path.c_str(), uid, gid) != 0) return last_error();
    }
    return listen(made.fd.get(), asked.backlog) == 0 ? error_code{} : last_error();
}

}  // namespace

outcome<listener> listen_unix(const unix_request& asked) noexcept {
    const auto address = unix_address(asked.path);
    if (!address) {
        return make_failure(address.error(), describe(asked) + " (at most 107 bytes are possible)");
    }
    listener::state made;
    made.family = address_family::unix_path;
    made.path = asked.path;
    made.text = display_text(*address);
    made.fd.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!made.fd) return make_failure(last_error(), describe(asked));
    error_code failed = bind_under_umask(made.fd.get(), *address, asked.umask);
    if (failed == system_error(EADDRINUSE)) {
        const auto removed = remove_stale(asked, *address);
        if (!removed) return removed.error();
        failed = bind_under_umask(made.fd.get(), *address, asked.umask);
    }
    if (failed) return make_failure(failed, describe(asked));
    failed = finish(made, asked);
    listener result(std::move(made));
    if (failed) {
        result.remove_path();
        return make_failure(failed, describe(asked));
    }
    return result;
}

}  // namespace unicoro::os
