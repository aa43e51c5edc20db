// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"

#include <unicoro/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::python {

/// What of a response waits for a slow client: in memory, and beyond a bound in a temporary file.
/// First in, first out. One thread at a time.
class unsent_backlog {
  public:
    static constexpr std::size_t most_in_memory = 1024 * 1024;
    static constexpr std::uint64_t most_in_file = std::uint64_t{1} << 30;

    /// False when there is no room for it until something was taken: the file is full, or the file
    /// system is.
    [[nodiscard]] bool add(std::string_view piece);

    /// The next bytes; none when all were taken. Fails when the file cannot be read.
    [[nodiscard]] error_code take(std::string& into);

  private:
    void add_to_memory(std::string_view piece);
    [[nodiscard]] bool add_to_file(std::string_view piece);

    // Comes before what is in the file. Blocks that never grow: copied to and sent from, and nothing else.
    std::vector<std::string> blocks_;
    std::size_t next_ = 0;  // of them to be taken
    std::size_t kept_ = 0;  // bytes in them
    os::unique_fd file_;
    std::uint64_t written_ = 0;
    std::uint64_t taken_ = 0;
};

}  // namespace unicoro::python
