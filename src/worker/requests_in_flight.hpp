// SPDX-License-Identifier: MIT
#pragma once

#include <boost/intrusive/list.hpp>

#include <memory>
#include <mutex>

namespace unicoro::worker {

/// A request's place among those of its worker, from its head to its end: part of the request_run.
using in_flight_hook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// The oldest first. On the loop's thread, which alone changes it; where another thread looks at it, too,
/// with the watch of them.
using requests_in_flight =
    boost::intrusive::list<in_flight_hook, boost::intrusive::constant_time_size<false>>;

/// Keeps other threads from the requests in flight: whoever has it waits for nothing, least of all for an
/// interpreter. Shared with those threads, which may outlast the worker's part; without one there are none.
using in_flight_watch = std::shared_ptr<std::mutex>;

[[nodiscard]] inline std::unique_lock<std::mutex> lock_of(const in_flight_watch& watch) {
    return watch ? std::unique_lock(*watch) : std::unique_lock<std::mutex>();
}

/// Writes to the error log how old each of them is and where it is now. A request whose code has a thread for
/// itself is told of from another thread, which ends by itself.
void tell_requests(const requests_in_flight& all);

}  // namespace unicoro::worker
