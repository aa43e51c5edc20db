// SPDX-License-Identifier: MIT
#include "os/beneath.hpp"

#include "os/failure.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace unicoro::os {
namespace {

constexpr int most_attempts = 8;

constexpr int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

}  // namespace

result<unique_fd> walk_beneath(int folder, const std::string& path) {
    unique_fd at;
    std::size_t begin = 0;
    for (;;) {
        const std::size_t slash = path.find('/', begin);
        const std::string part = path.substr(begin, slash - begin);
        // The one way out that is no link.
        if (part == "..") return system_error(ENOENT);
        const bool last = slash == std::string::npos;
        const int how = last ? flags | O_NOFOLLOW : O_PATH | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY;
        unique_fd next(openat(at ? at.get() : folder, part.c_str(), how));
        if (!next) return last_error();
        if (last) return next;
        at = std::move(next);
        begin = slash + 1;
    }
}

result<unique_fd> open_beneath(int folder, const std::string& path) {
    open_how how{};
    how.flags = flags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    for (int left = most_attempts;; --left) {
        const long fd = syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how);
        if (fd >= 0) return unique_fd(static_cast<int>(fd));
        // Something on the way was moved at this moment; or another process holds a lease on the file.
        if ((errno == EAGAIN || errno == EINTR) && left > 0) continue;
        if (errno == ENOSYS || errno == EPERM) return walk_beneath(folder, path);
        return last_error();
    }
}

}  // namespace unicoro::os
