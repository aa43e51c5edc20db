// SPDX-License-Identifier: MIT
#include "worker/fair_turn.hpp"

#include <algorithm>

namespace unicoro::worker {
namespace {

bool clearly_more(std::uint32_t mine, std::uint32_t fewest) noexcept {
    return mine - fewest > 4 + fewest / 32;
}

}  // namespace

void fair_turn::count(std::size_t connections) noexcept {
    own_.connections = static_cast<std::uint32_t>(std::min<std::size_t>(connections, UINT32_MAX));
    board_.write(slot_, own_);
}

void fair_turn::take(bool takes) noexcept {
    if (own_.takes == takes) return;
    own_.takes = takes;
    board_.write(slot_, own_);
}

std::optional<fair_turn::sibling> fair_turn::look(clock::time_point now) {
    ++own_.looks;
    board_.write(slot_, own_);
    std::optional<sibling> least;
    std::uint32_t fewest = own_.connections;
    const std::size_t used = board_.used();
    for (std::size_t slot = 0; slot < used; ++slot) {
        if (slot == slot_) continue;
        const scoreboard::load told = board_.read(slot);
        if (!told.takes || told.connections >= fewest || !may_come(slot, told)) continue;
        fewest = told.connections;
        least = sibling{slot, told.looks};
    }
    if (!least) return std::nullopt;
    regain_patience(now);
    if (patience_ == 0 || !counts(fewest, now)) return std::nullopt;
    return least;
}

std::optional<fair_turn::sibling> fair_turn::with_room() const {
    const std::size_t used = board_.used();
    for (std::size_t slot = 0; slot < used; ++slot) {
        if (slot == slot_) continue;
        const scoreboard::load told = board_.read(slot);
        if (told.takes && may_come(slot, told)) return sibling{slot, told.looks};
    }
    return std::nullopt;
}

bool fair_turn::may_come(std::size_t slot, const scoreboard::load& told) const {
    if (slot >= absences_.size()) return true;
    return absences_[slot].missed < most_chances || told.looks != absences_[slot].looks;
}

void fair_turn::regain_patience(clock::time_point now) {
    if (patience_ == most_patience || now < regained_ + patience_returns) return;
    ++patience_;
    regained_ = now;
}

bool fair_turn::counts(std::uint32_t fewest, clock::time_point now) {
    if (clearly_more(own_.connections, fewest)) return true;
    if (now < next_small_one_) return false;
    next_small_one_ = now + between_small_ones;
    return true;
}

void fair_turn::waited(const sibling& awaited, clock::time_point now) {
    if (board_.read(awaited.slot).looks != awaited.looks) return;
    if (patience_ == most_patience) regained_ = now;
    if (patience_ > 0) --patience_;
    if (awaited.slot >= absences_.size()) absences_.resize(awaited.slot + 1);
    absence& known = absences_[awaited.slot];
    if (known.looks != awaited.looks) known = {awaited.looks, 0};
    ++known.missed;
}

}  // namespace unicoro::worker
