// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace unicoro::scoreboard {

/// How a worker stands among its siblings when a connection is to be taken.
struct load {
    bool takes = false;             ///< it accepts; not while it boots, drains or has no room
    std::uint32_t connections = 0;  ///< open now
    std::uint32_t looks = 0;        ///< counts how often it looked for connections: a sign that it can
    bool operator==(const load&) const = default;
};

/// Memory that all workers of a master share and write: a hint for each other, which nobody may rely on.
struct load_page {
    alignas(64) std::atomic<std::uint32_t> used;  ///< slots ever opened: readers look no further
    alignas(64) std::atomic<std::uint64_t> first;

    /// What is needed for so many slots.
    [[nodiscard]] static constexpr std::size_t bytes(std::size_t slots) noexcept {
        return sizeof(load_page) + slots * sizeof(std::uint64_t);
    }
};

/// The loads of all workers, one for each slot of the scoreboard.
class load_board {
  public:
    load_board(load_page& page, std::size_t slots) noexcept : page_(&page), slots_(slots) {}

    /// Slots to look at, `size` at most.
    [[nodiscard]] std::size_t used() const noexcept;

    [[nodiscard]] load read(std::size_t index) const noexcept;
    void write(std::size_t index, const load& told) const noexcept;

    /// Master only: nobody is in the slot now.
    void clear(std::size_t index) const noexcept;

  private:
    [[nodiscard]] std::atomic<std::uint64_t>& entry(std::size_t index) const noexcept {
        return (&page_->first)[index];
    }

    load_page* page_;
    std::size_t slots_;
};

}  // namespace unicoro::scoreboard
