// SPDX-License-Identifier: MIT
#include "os/folder_watch.hpp"

#include "os/failure.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace unicoro::os {
namespace {

constexpr std::uint32_t changes = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE;

}  // namespace

result<folder_watch> folder_watch::open() noexcept {
    unique_fd fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (fd.get() < 0) return last_error();
    return folder_watch(std::move(fd));
}

error_code folder_watch::add(const std::string& folder) {
    const int known = inotify_add_watch(fd_.get(), folder.c_str(), changes | IN_ONLYDIR);
    if (known < 0) return last_error();
    folders_[known] = folder;
    return {};
}

std::vector<std::string> folder_watch::take() {
    std::vector<std::string> paths;
    alignas(inotify_event) std::array<char, 16384> buffer;
    for (;;) {
        const ssize_t size = read(fd_.get(), buffer.data(), buffer.size());
        if (size <= 0) return paths;
        for (const char* at = buffer.data(); at < buffer.data() + size;) {
            inotify_event seen{};
            std::memcpy(&seen, at, sizeof seen);
            const auto folder = folders_.find(seen.wd);
            if (seen.len > 0 && folder != folders_.end()) {
                paths.push_back(folder->second + "/" + (at + sizeof seen));
            }
            at += sizeof seen + seen.len;
        }
    }
}

}  // namespace unicoro::os
