// SPDX-License-Identifier: MIT
#include "log/append_file.hpp"

#include "base/parent_folder.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace unicoro::log {
namespace {

using base::parent_folder;
using base::unique_fd;

constexpr mode_t new_file_mode = 0644;
constexpr int append_flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY;

// How often a file may come and go while it is being opened.
constexpr int most_attempts = 100;

// The kernel finds what has a name, and only then counts its names: somebody who takes one away and gives it
// back all the time can hide it from a look, but not from so many.
constexpr int looks_at_name = 16;

constexpr const char* unread = "it is a pipe that nobody reads, or a socket";

append_file refused(const std::string& path, const std::string& why) {
    return {{}, fmt::format("cannot open '{}': {}", path, why)};
}

append_file refused(const std::string& path, int error) {
    namespace fs = std::filesystem;
    const fs::path folder = fs::path(path).parent_path();
    std::error_code ignored;
    if (error == ENOENT && !fs::exists(folder, ignored)) {
        return refused(
            path, fmt::format("the directory '{}' does not exist; create it first", folder.string())
        );
    }
    return refused(path, std::generic_category().message(error));
}

unique_fd open_in(const parent_folder& folder, int flags) noexcept {
    int fd = -1;
    do {
        fd = ::openat(folder.fd(), folder.name().c_str(), append_flags | flags, new_file_mode);
    } while (fd < 0 && errno == EINTR);
    return unique_fd(fd);
}

/// Why root must not write to what it found, empty when it may.
std::string objection(const parent_folder& folder, const struct stat& found, const file_owner& owner) {
    if (!S_ISREG(found.st_mode)) {
        // In a folder of root's own a device or a pipe is there on purpose: /dev/stdout.
        return folder.shared() ? "it is not a regular file, and others can write its directory" : "";
    }
    if (folder.of_kernel()) return "";
    if (folder.linked() && (owner.user || owner.group)) {
        return "it is a symbolic link; name the file that it leads to";
    }
    if (found.st_nlink > 1 && owner.user != found.st_uid) {
        return "it has another name (a hard link), and belongs to another user than the workers; remove "
               "one of the names";
    }
    return "";
}

/// Nothing when it is gone again.
std::optional<append_file> open_existing(
    const std::string& path, const parent_folder& folder, const file_owner& owner
) {
    unique_fd fd = open_in(folder, O_NONBLOCK | (folder.of_kernel() ? 0 : O_NOFOLLOW));
    if (!fd && errno == ELOOP) {
        return refused(
            path, "it is a symbolic link, and others can write its directory; name the file itself"
        );
    }
    if (!fd && errno == ENXIO) return refused(path, unread);
    if (!fd && errno == ENOENT) return std::nullopt;
    if (!fd) return refused(path, errno);
    struct stat found{};
    if (::fstat(fd.get(), &found) != 0) return refused(path, errno);
    for (int look = 0; look < looks_at_name && !folder.of_kernel(); ++look) {
        // The second name of somebody else's file may have been taken away since: then it counts one too few.
        struct stat named{};
        const bool there = ::fstatat(folder.fd(), folder.name().c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0;
        if (!there || named.st_dev != found.st_dev || named.st_ino != found.st_ino) return std::nullopt;
        found.st_nlink = std::max(found.st_nlink, named.st_nlink);
    }
    if (const std::string why = objection(folder, found, owner); !why.empty()) return refused(path, why);
    ::fcntl(fd.get(), F_SETFL, O_APPEND);
    return append_file{std::move(fd), {}};
}

append_file open_carefully(const std::string& path, const parent_folder& folder, const file_owner& owner) {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        unique_fd made = open_in(folder, O_CREAT | O_EXCL);
        if (made) {
            const uid_t user = owner.user.value_or(static_cast<uid_t>(-1));
            const gid_t group = owner.group.value_or(static_cast<gid_t>(-1));
            if (::fchown(made.get(), user, group) != 0) return refused(path, errno);
            return {std::move(made), {}};
        }
        if (errno != EEXIST) return refused(path, errno);
        if (auto existing = open_existing(path, folder, owner)) return *std::move(existing);
    }
    return refused(path, "it comes and goes");
}

}  // namespace

append_file open_for_append(const std::string& path, const file_owner& owner, unread_pipe at_pipe) {
    const auto folder = parent_folder::of(path, parent_folder::last_link::follow);
    if (!folder) {
        const parent_folder::refusal& why = folder.error();
        return why.error == ENOENT ? refused(path, ENOENT) : refused(path, why.reason);
    }
    const bool root = ::geteuid() == 0;
    if (root && (owner.user || owner.group || folder->shared())) {
        return open_carefully(path, *folder, owner);
    }
    const int wait = at_pipe == unread_pipe::refuse ? O_NONBLOCK : 0;
    const int no_link = root && !folder->of_kernel() ? O_NOFOLLOW : 0;
    unique_fd fd = open_in(*folder, O_CREAT | wait | no_link);
    if (!fd) return errno == ENXIO ? refused(path, unread) : refused(path, errno);
    ::fcntl(fd.get(), F_SETFL, O_APPEND);
    return {std::move(fd), {}};
}

}  // namespace unicoro::log
