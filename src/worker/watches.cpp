// SPDX-License-Identifier: MIT
#include "worker/watches.hpp"

#include "log/log.hpp"
#include "worker/loop_stack.hpp"
#include "worker/serving.hpp"

#include <mutex>
#include <system_error>

namespace unicoro::worker {

void watches::prepare(const master::worker_launch& how, app::host& host, serving& shared) {
    // Only the monitor asks.
    if (how.settings.monitoring.admin_bind.empty() || !host.shows_code()) return;
    shared.watched = std::make_shared<std::mutex>();
}

void watches::begin(
    asio::io_context& io, const master::worker_launch& how, app::host& host, serving& shared
) {
    if (shared.watched) {
        try {
            stacks_ = std::make_unique<stack_teller>(how.board, how.slot, host, shared);
        } catch (const std::system_error& failure) {
            log::warning("The monitor cannot see stacks of this worker: {}", failure.what());
        }
    }
    const auto blocked = how.settings.blocked_loop_warning;
    const auto slow = how.settings.slow_request_log;
    const bool watched = blocked.count() > 0 && !host.holds_loop();
    if (!watched && slow.count() == 0) return;
    const auto held = std::make_shared<loop_stack>(host);
    if (watched) loop_ = std::make_unique<loop_watch>(io, held, how.board, how.slot, blocked);
    if (slow.count() > 0) slow_ = std::make_unique<slow_log>(io, held, slow);
    shared.slow = slow_.get();
}

void watches::end(serving& shared) noexcept {
    stacks_.reset();
    loop_.reset();
    shared.slow = nullptr;
    slow_.reset();
}

}  // namespace unicoro::worker
