// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"
#include "os/unique_fd.hpp"

#include <unicoro/awaitable.hpp>
#include <unicoro/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace unicoro::app {

/// A request body read to its end before an application that reads synchronously sees it: in memory
/// up to a bound, beyond it in an unlinked file in $TMPDIR (else /tmp). So a slow client costs
/// neither a blocked loop nor unbounded memory. Movable; owns its memory, file and mapping.
class spooled_body {
  public:
    static constexpr std::size_t default_memory_bound = std::size_t{1} << 20;

    explicit spooled_body(std::size_t memory_bound = default_memory_bound) noexcept : bound_(memory_bound) {}
    spooled_body(spooled_body&& other) noexcept;
    spooled_body& operator=(spooled_body&& other) noexcept;
    ~spooled_body();

    /// Reads the whole body of `request`, once. Fails as exchange::read_body does, or with the
    /// errno of the temporary file. `this` must stay in place until it returns.
    [[nodiscard]] awaitable<error_code> fill(exchange& request);

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] bool in_memory() const noexcept { return !file_; }

    /// All the bytes, valid as long as this object. The file is mapped at the first call, which may
    /// fail with the errno of mmap(2).
    [[nodiscard]] result<std::string_view> view();

  private:
    void make_room(std::size_t wanted, std::uint64_t announced);
    [[nodiscard]] error_code spill();
    [[nodiscard]] error_code flush();

    std::size_t bound_;
    std::unique_ptr<char[]> memory_;  // the body, or the piece on its way to the file
    std::size_t capacity_ = 0;
    std::size_t used_ = 0;
    std::uint64_t size_ = 0;
    os::unique_fd file_;
    void* mapping_ = nullptr;
};

}  // namespace unicoro::app
