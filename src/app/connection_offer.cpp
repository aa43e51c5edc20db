// SPDX-License-Identifier: MIT
#include "app/connection_offer.hpp"

namespace unicoro::app {

bool connection_offer::take() {
    state before = state::open;
    if (!state_.compare_exchange_strong(before, state::taken)) return before == state::taken;
    on_taken();
    return true;
}

bool connection_offer::withdraw() noexcept {
    state before = state::open;
    return state_.compare_exchange_strong(before, state::withdrawn) || before == state::withdrawn;
}

}  // namespace unicoro::app
