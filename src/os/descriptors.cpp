// SPDX-License-Identifier: MIT
#include "os/descriptors.hpp"

#include "os/failure.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace unicoro::os {
namespace {

// Programs that go through all numbers there may be take minutes for a limit of 2^30.
constexpr rlim_t most_descriptors = 1U << 20;

constexpr std::size_t fewest_descriptors = 1024;

// Of a worker, where there is no /proc to ask.
constexpr std::size_t usual_descriptors = 32;

}  // namespace

error_code limit_accept_wait(int listening_fd) noexcept {
    const timeval shortest{0, 1};
    const bool set = setsockopt(listening_fd, SOL_SOCKET, SO_RCVTIMEO, &shortest, sizeof shortest) == 0;
    return set ? error_code{} : last_error();
}

error_code open_standard_streams() noexcept {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (fcntl(stream, F_GETFD) >= 0) continue;
        // The lowest free number is this one.
        if (open("/dev/null", O_RDWR) != stream) return last_error();
    }
    return {};
}

std::size_t descriptor_limit() noexcept {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return fewest_descriptors;
    return limit.rlim_cur;
}

std::size_t raise_descriptor_limit() noexcept {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < most_descriptors) {
        limit.rlim_cur = std::min(limit.rlim_max, most_descriptors);
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return descriptor_limit();
}

std::size_t open_descriptors() noexcept {
    DIR* const folder = opendir("/proc/self/fd");
    if (folder == nullptr) return usual_descriptors;
    std::size_t entries = 0;
    while (readdir(folder) != nullptr) ++entries;
    closedir(folder);
    return entries - 3;  // ".", ".." and the folder itself
}

unique_fd current_folder() noexcept {
    return unique_fd(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

std::vector<int> descriptor_numbers() {
    std::vector<int> numbers;
    DIR* const folder = opendir("/proc/self/fd");
    if (folder == nullptr) return numbers;
    while (const dirent* const entry = readdir(folder)) {
        const std::string_view name = entry->d_name;
        int number = -1;
        const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (failed == std::errc() && number != dirfd(folder)) numbers.push_back(number);
    }
    closedir(folder);
    std::ranges::sort(numbers);
    return numbers;
}

result<unique_fd> make_event() noexcept {
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return last_error();
    return unique_fd(fd);
}

void raise_event(int event_fd) noexcept {
    const std::uint64_t one = 1;
    // EAGAIN means the counter is full, which wakes the reader as well.
    while (write(event_fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

bool clear_event(int event_fd) noexcept {
    std::uint64_t count = 0;
    ssize_t got = 0;
    do {
        got = read(event_fd, &count, sizeof count);
    } while (got < 0 && errno == EINTR);
    return got == static_cast<ssize_t>(sizeof count);
}

error_code make_private(int fd) noexcept {
    const int status = fcntl(fd, F_GETFL);
    if (status < 0) return last_error();
    if (fcntl(fd, F_SETFL, status | O_NONBLOCK) != 0) return last_error();
    const int flags = fcntl(fd, F_GETFD);
    if (flags < 0) return last_error();
    if (fcntl(fd, F_SETFD, flags | FD_CLOEXEC) != 0) return last_error();
    return {};
}

}  // namespace unicoro::os
