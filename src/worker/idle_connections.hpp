// SPDX-License-Identifier: MIT
#pragma once

#include <boost/intrusive/list.hpp>

namespace unicoro::worker {

using idle_hook = boost::intrusive::list_base_hook<
    boost::intrusive::tag<struct idle_hook_tag>,
    boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// A connection while it waits for its next request. Leaves the list when destroyed.
class idle_connection : public idle_hook {
  public:
    /// Closes, unless a request is there already: false. Not in the list any more, either way.
    [[nodiscard]] virtual bool give_way() noexcept = 0;

    void stop_idling() noexcept {
        if (idle_hook::is_linked()) idle_hook::unlink();
    }

  protected:
    ~idle_connection() = default;
};

using idle_connections = boost::intrusive::list<
    idle_connection,
    boost::intrusive::base_hook<idle_hook>,
    boost::intrusive::constant_time_size<false>>;

}  // namespace unicoro::worker
