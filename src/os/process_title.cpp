// SPDX-License-Identifier: MIT
#include "os/process_title.hpp"

#include "os/unique_fd.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace unicoro::os {
namespace {

struct title_memory {
    char* begin = nullptr;
    std::size_t size = 0;
};

title_memory memory;  // NOLINT: the one argv area of the process

// Field 48 of /proc/self/stat is where argv begins, and 51 where the environment ends.
title_memory find_memory() noexcept {
    std::array<char, 2048> text{};
    const unique_fd file(open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
    if (!file || read(file.get(), text.data(), text.size() - 1) <= 0) return {};
    // The name of the program is in brackets, and may have spaces and brackets in it.
    const char* at = std::strrchr(text.data(), ')');
    std::array<std::uintptr_t, 4> addresses{};
    for (int field = 3; at != nullptr && field <= 51; ++field) {
        at = std::strchr(at + 1, ' ');
        if (at == nullptr || field < 48) continue;
        addresses.at(static_cast<std::size_t>(field - 48)) = std::strtoul(at + 1, nullptr, 10);
    }
    const auto [arguments, arguments_end, variables, variables_end] = addresses;
    if (at == nullptr || arguments == 0 || arguments_end <= arguments) return {};
    // The area ends at the first gap.
    const std::uintptr_t end = variables == arguments_end ? variables_end : arguments_end;
    return {reinterpret_cast<char*>(arguments), end - arguments};
}

bool move_environment() noexcept {
    std::size_t count = 0;
    while (environ[count] != nullptr) ++count;
    auto* copy = static_cast<char**>(std::calloc(count + 1, sizeof(char*)));
    if (copy == nullptr) return false;
    for (std::size_t index = 0; index < count; ++index) {
        copy[index] = strdup(environ[index]);
        if (copy[index] == nullptr) return false;
    }
    environ = copy;
    return true;
}

}  // namespace

void prepare_process_title() noexcept {
    if (memory.begin != nullptr) return;
    const title_memory found = find_memory();
    if (found.begin == nullptr) return;
    // glibc prints messages with pointers into argv[0].
    char* const name = strdup(program_invocation_name);
    if (name == nullptr || !move_environment()) return;
    program_invocation_name = name;
    char* const slash = std::strrchr(name, '/');
    program_invocation_short_name = slash == nullptr ? name : slash + 1;
    memory = found;
}

void set_process_title(std::string_view title) noexcept {
    if (memory.size == 0) return;
    const std::size_t length = std::min(title.size(), memory.size - 1);
    std::memcpy(memory.begin, title.data(), length);
    std::memset(memory.begin + length, 0, memory.size - length);
}

void set_short_name(std::string_view name) noexcept {
    std::array<char, 16> text{};
    std::copy_n(name.data(), std::min(name.size(), text.size() - 1), text.data());
    prctl(PR_SET_NAME, text.data());
}

}  // namespace unicoro::os
