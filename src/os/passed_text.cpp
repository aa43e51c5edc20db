// SPDX-License-Identifier: MIT
#include "os/passed_text.hpp"

#include "os/failure.hpp"
#include "os/memory_file.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace unicoro::os {

result<unique_fd> pass_text(const char* name, std::string_view text) noexcept {
    auto memory = make_memory_file(name);
    if (!memory) return memory;
    while (!text.empty()) {
        const ssize_t done = write(memory->get(), text.data(), text.size());
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return last_error();
        text.remove_prefix(static_cast<std::size_t>(done));
    }
    if (lseek(memory->get(), 0, SEEK_SET) != 0) return last_error();
    return memory;
}

std::string read_text(int fd) {
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
        const ssize_t got = read(fd, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace unicoro::os
