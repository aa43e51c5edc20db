// SPDX-License-Identifier: MIT
#pragma once

#include <boost/intrusive/list.hpp>

namespace unicoro::worker {

/// A request's place among those of its worker, from its head to its end: part of the request_run.
using in_flight_hook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// The oldest first. On the loop's thread.
using requests_in_flight =
    boost::intrusive::list<in_flight_hook, boost::intrusive::constant_time_size<false>>;

/// Writes to the error log how old each of them is and where it is now. A request whose code has a thread for
/// itself is told of from another thread, which ends by itself.
void tell_requests(const requests_in_flight& all);

}  // namespace unicoro::worker
