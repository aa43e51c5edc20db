// SPDX-License-Identifier: MIT
#include "os/memory_file.hpp"

#include "os/failure.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace unicoro::os {
namespace {

// Headers older than Linux 6.3 lack it.
constexpr unsigned noexec_seal = 0x0008;

}  // namespace

result<unique_fd> make_memory_file(const char* name) noexcept {
    constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    unique_fd file(memfd_create(name, flags | noexec_seal));
    if (!file && errno == EINVAL) file = unique_fd(memfd_create(name, flags));
    if (!file) return last_error();
    return file;
}

result<unique_fd> read_only_duplicate(int memory_file) noexcept {
    std::array<char, 40> path{};
    std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", memory_file);
    unique_fd file(open(path.data(), O_RDONLY | O_CLOEXEC));
    if (!file) return last_error();
    return file;
}

}  // namespace unicoro::os
