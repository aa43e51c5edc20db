// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace unicoro::python {

/// What of a request's body has come and was not taken. It lies in a bytes object in the making, which
/// becomes the application's where that takes all of it: a body that is read whole is copied by the
/// kernel alone. Owned by the request's call. Made and destroyed anywhere; what needs the GIL says so.
class arriving_body {
  public:
    /// `length` of the body, where it is known.
    explicit arriving_body(std::optional<std::uint64_t> length) noexcept : left_(length) {}

    /// Bytes to be taken.
    [[nodiscard]] std::size_t size() const noexcept { return filled_ - taken_; }
    /// Nothing comes after them.
    [[nodiscard]] bool complete() const noexcept { return complete_; }

    // --- who reads, one at a time

    /// With the GIL: memory for the next bytes where `wanted` ones are not here yet. It grows with what
    /// has come: a client must send bytes to make the server keep memory for it. False with MemoryError.
    [[nodiscard]] bool make_room(std::size_t wanted) noexcept;
    /// Where the next bytes go, `most` at most. Without the GIL, like the rest of these.
    [[nodiscard]] std::span<char> room(std::size_t most) const noexcept;
    /// So many have come there; none = the end of the body.
    void came(std::size_t count) noexcept;

    /// From `lend` until `give_back` a read writes to the memory beside what else goes on: it stays where
    /// it is.
    void lend() noexcept { lent_ = true; }
    void give_back() noexcept { lent_ = false; }

    // --- who takes, with the GIL

    /// All there are, `most` at most, as bytes. Null with MemoryError.
    [[nodiscard]] py_ref take(std::size_t most) noexcept;

    /// Where Python's memory is gone already.
    void abandon() noexcept { (void)memory_.release(); }
    [[nodiscard]] bool has_memory() const noexcept { return static_cast<bool>(memory_); }
    void drop_memory() noexcept;

  private:
    [[nodiscard]] bool move_to(std::size_t capacity) noexcept;
    [[nodiscard]] py_ref hand_over() noexcept;

    py_ref memory_;  // nobody else's
    std::size_t capacity_ = 0;
    std::size_t taken_ = 0;
    std::size_t filled_ = 0;
    std::optional<std::uint64_t> left_;
    bool complete_ = false;
    bool lent_ = false;
};

}  // namespace unicoro::python
