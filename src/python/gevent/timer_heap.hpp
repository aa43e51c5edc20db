// SPDX-License-Identifier: MIT
#pragma once

#include "python/gevent/watcher.hpp"

#include <vector>

namespace unicoro::python::gevent {

/// Started timers, the next one first; those of the same time in the order of their start.
class timer_heap {
  public:
    [[nodiscard]] bool empty() const noexcept { return nodes_.empty(); }
    [[nodiscard]] timer_watcher& first() const noexcept { return *nodes_.front(); }

    void insert(timer_watcher& timer);
    void remove(timer_watcher& timer) noexcept;

    /// After its time has changed.
    void moved(timer_watcher& timer) noexcept;

  private:
    void place(std::size_t where, timer_watcher* timer) noexcept;
    void rise(std::size_t from) noexcept;
    void sink(std::size_t from) noexcept;

    std::vector<timer_watcher*> nodes_;
    std::uint64_t started_ = 0;
};

}  // namespace unicoro::python::gevent
