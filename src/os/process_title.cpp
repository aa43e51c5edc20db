// SPDX-License-Identifier: MIT
#include "os/process_title.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace unicoro::os {
namespace {

struct title_memory {
    char* begin = nullptr;
    std::size_t size = 0;
};

title_memory memory;  // NOLINT: the one argv area of the process

// The strings of argv and environ lie one behind the other; the area ends at the first gap.
char* end_of_area(char** strings, char* end) noexcept {
    for (; *strings != nullptr; ++strings) {
        if (*strings == end) end = *strings + std::strlen(*strings) + 1;
    }
    return end;
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

void prepare_process_title(int argc, char** argv) noexcept {
    if (argc < 1 || argv[0] == nullptr || memory.begin != nullptr) return;
    char* const begin = argv[0];
    char* end = end_of_area(argv, begin);
    end = end_of_area(environ, end);
    // glibc prints messages with pointers into argv[0].
    char* const name = strdup(begin);
    if (name == nullptr || !move_environment()) return;
    program_invocation_name = name;
    char* const slash = std::strrchr(name, '/');
    program_invocation_short_name = slash == nullptr ? name : slash + 1;
    memory = {begin, static_cast<std::size_t>(end - begin)};
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
