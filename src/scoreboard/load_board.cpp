// SPDX-License-Identifier: MIT
#include "scoreboard/load_board.hpp"

#include <algorithm>

namespace unicoro::scoreboard {
namespace {

constexpr std::uint64_t takes_bit = std::uint64_t{1} << 63;
constexpr std::uint32_t most_connections = UINT32_MAX >> 1;

}  // namespace

std::size_t load_board::used() const noexcept {
    return std::min<std::size_t>(page_->used.load(std::memory_order_relaxed), slots_);
}

load load_board::read(std::size_t index) const noexcept {
    const std::uint64_t word = entry(index).load(std::memory_order_relaxed);
    load told;
    told.takes = (word & takes_bit) != 0;
    told.connections = static_cast<std::uint32_t>(word >> 32) & most_connections;
    told.looks = static_cast<std::uint32_t>(word);
    return told;
}

// One word, so that a reader never sees a part of it.
void load_board::write(std::size_t index, const load& told) const noexcept {
    const std::uint64_t connections = std::min(told.connections, most_connections);
    const std::uint64_t word = (told.takes ? takes_bit : 0) | connections << 32 | told.looks;
    entry(index).store(word, std::memory_order_relaxed);
}

void load_board::clear(std::size_t index) const noexcept {
    write(index, {});
    const auto needed = static_cast<std::uint32_t>(index) + 1;
    if (page_->used.load(std::memory_order_relaxed) < needed) {
        page_->used.store(needed, std::memory_order_relaxed);
    }
}

}  // namespace unicoro::scoreboard
