// SPDX-License-Identifier: MIT
#include "worker/requests_in_flight.hpp"

#include "log/log.hpp"
#include "os/signals.hpp"
#include "worker/request_run.hpp"

#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace unicoro::worker {
namespace {

void tell(const std::string& what, const std::string& stack) {
    log::warning("In flight: {}{}{}", what, stack.empty() ? "" : "; it is here:\n", stack);
}

using elsewhere = std::vector<std::pair<std::string, std::shared_ptr<const app::running_request>>>;

// The loop does not wait for Python, which one of those threads may have to itself.
void tell_elsewhere(elsewhere requests) {
    const std::size_t count = requests.size();
    const os::signals_held_back for_its_thread;
    try {
        std::thread([requests = std::move(requests)] {
            for (const auto& [what, inside] : requests) tell(what, inside->stack());
        }).detach();
    } catch (const std::system_error& failure) {
        log::warning("{} of them run in threads, and cannot be looked at: {}", count, failure.what());
    }
}

}  // namespace

void tell_requests(const requests_in_flight& all) {
    const std::int64_t now = scoreboard::monotonic_now();
    elsewhere later;
    std::size_t count = 0;
    for (const in_flight_hook& each : all) {
        const auto& request = static_cast<const request_run&>(each);
        const std::string what = request.described(now);
        app::running_request* const inside = request.running();
        auto outside = inside != nullptr ? inside->from_outside() : nullptr;
        ++count;
        if (outside) {
            later.emplace_back(what, std::move(outside));
        } else {
            tell(what, inside != nullptr ? inside->stack() : std::string());
        }
    }
    log::warning("Requests in flight: {}", count);
    if (!later.empty()) tell_elsewhere(std::move(later));
}

}  // namespace unicoro::worker
