// SPDX-License-Identifier: MIT
#include "base/parent_folder.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <optional>
#include <string_view>
#include <system_error>

namespace unicoro::base {
namespace {

constexpr int folder_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
constexpr int most_links = 40;  // the kernel's MAXSYMLINKS

parent_folder::refusal refuse(int error) {
    return {error, std::generic_category().message(error)};
}

/// Who may write what, as far as it concerns root.
class rights {
  public:
    rights() noexcept {
        // In a user namespace the system's own files may belong to no user that is known there; who
        // owns the root folder has everything in hand anyway.
        struct stat root{};
        if (stat("/", &root) == 0) owner_of_all_ = root.st_uid;
    }

    // Access lists count too: their mask is what the group's bits show.
    [[nodiscard]] bool others_may_write(const struct stat& folder) const noexcept {
        if (!is_root(folder.st_uid) || (folder.st_mode & S_IWOTH) != 0) return true;
        return (folder.st_mode & S_IWGRP) != 0 && folder.st_gid != 0;
    }

    // In a folder like /tmp nobody can replace root's folder. A link may be a hard link to one of
    // root's, made there by somebody else.
    [[nodiscard]] bool is_guarded(const struct stat& folder, const struct stat& entry) const noexcept {
        return (folder.st_mode & S_ISVTX) != 0 && S_ISDIR(entry.st_mode) && is_root(entry.st_uid);
    }

  private:
    [[nodiscard]] bool is_root(uid_t user) const noexcept { return user == 0 || user == owner_of_all_; }

    uid_t owner_of_all_ = 0;
};

bool is_of_kernel(int folder) noexcept {
    struct statfs found{};
    return fstatfs(folder, &found) == 0 && found.f_type == PROC_SUPER_MAGIC;
}

}  // namespace

/// Goes along a path name by name, as root must where others may have a hand in it.
class path_walk {
  public:
    explicit path_walk(parent_folder::last_link at_end) noexcept : at_end_(at_end) {}

    parent_folder::outcome run(std::string_view path) {
        if (path.empty()) return refuse(ENOENT);
        add(path);
        fd_.reset(open(path.front() == '/' ? "/" : ".", folder_flags));
        if (!fd_) return refuse(errno);
        while (!ended_) {
            if (auto failed = step()) return std::move(*failed);
        }
        parent_folder found;
        found.fd_ = std::move(fd_);
        found.name_ = std::move(name_);
        found.way_shared_ = way_shared_;
        found.shared_ = shared_;
        found.linked_ = linked_;
        found.of_kernel_ = of_kernel_;
        return found;
    }

  private:
    using failure = std::optional<parent_folder::refusal>;

    /// Puts the names of a path before those that are left to go.
    void add(std::string_view path) {
        std::deque<std::string> names;
        while (!path.empty()) {
            const auto slash = path.find('/');
            const std::string_view name = path.substr(0, slash);
            if (!name.empty() && name != ".") names.emplace_back(name);
            path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
            // "/a/b/" and "/a/b/." are folders.
            const bool folder_meant = slash != std::string_view::npos || name == ".";
            if (path.empty() && left_.empty() && folder_meant) names.emplace_back(".");
        }
        left_.insert(left_.begin(), names.begin(), names.end());
    }

    failure step() {
        name_ = std::move(left_.front());
        left_.pop_front();
        const bool last = left_.empty();
        of_kernel_ = is_of_kernel(fd_.get());
        struct stat folder{};
        if (fstat(fd_.get(), &folder) != 0) return refuse(errno);
        unique_fd entry(openat(fd_.get(), name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        const int error = errno;
        struct stat found{};
        if (entry && fstat(entry.get(), &found) != 0) return refuse(errno);
        way_shared_ = shared_;
        const bool guarded = !last && entry && rights_.is_guarded(folder, found);
        if (!of_kernel_ && rights_.others_may_write(folder) && !guarded) shared_ = true;
        if (!entry) {
            // Who makes a file comes for a name that is not there yet.
            if (error != ENOENT || !last) return refuse(error);
            ended_ = true;
            return std::nullopt;
        }
        if (S_ISLNK(found.st_mode)) return at_link(last);
        if (last) {
            ended_ = true;
            return std::nullopt;
        }
        if (!S_ISDIR(found.st_mode)) return refuse(ENOTDIR);
        fd_ = std::move(entry);
        return std::nullopt;
    }

    failure at_link(bool last) {
        if (last && (shared_ || of_kernel_ || at_end_ == parent_folder::last_link::keep)) {
            ended_ = true;
            return std::nullopt;
        }
        if (shared_) {
            return parent_folder::refusal{
                ELOOP,
                "'" + name_ +
                    "' on the way is a symbolic link in a folder that others than root can write to; name "
                    "the path it leads to"
            };
        }
        if (of_kernel_) {
            unique_fd target(openat(fd_.get(), name_.c_str(), folder_flags));
            if (!target) return refuse(errno);
            fd_ = std::move(target);
            return std::nullopt;
        }
        if (++links_ > most_links) return refuse(ELOOP);
        std::array<char, PATH_MAX> text{};
        const ssize_t length = readlinkat(fd_.get(), name_.c_str(), text.data(), text.size());
        if (length < 0) return refuse(errno);
        const std::string_view target(text.data(), static_cast<std::size_t>(length));
        if (target.starts_with('/')) {
            fd_.reset(open("/", folder_flags));
            if (!fd_) return refuse(errno);
        }
        linked_ = linked_ || last;
        add(target);
        return std::nullopt;
    }

    rights rights_;
    parent_folder::last_link at_end_;
    unique_fd fd_;
    std::deque<std::string> left_;
    std::string name_;
    int links_ = 0;
    bool shared_ = false;
    bool way_shared_ = false;
    bool linked_ = false;
    bool of_kernel_ = false;
    bool ended_ = false;
};

parent_folder::outcome parent_folder::of(const std::string& path, last_link at_end) {
    if (geteuid() == 0) return path_walk(at_end).run(path);
    if (path.empty()) return refuse(ENOENT);
    const auto slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
    parent_folder found;
    found.fd_.reset(open(folder.c_str(), folder_flags));
    if (!found.fd_) return refuse(errno);
    found.name_ = slash == std::string::npos ? path : path.substr(slash + 1);
    if (found.name_.empty()) found.name_ = ".";
    return found;
}

}  // namespace unicoro::base
