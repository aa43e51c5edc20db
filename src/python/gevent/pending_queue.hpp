// SPDX-License-Identifier: MIT
#pragma once

#include "python/gevent/watcher.hpp"

#include <array>
#include <vector>

namespace unicoro::python::gevent {

/// Watchers whose event has come, until their callbacks are called: those of a higher priority
/// first, among equals the last one first, as libev does and gevent's users are used to.
class pending_queue {
  public:
    struct entry {
        watcher* which = nullptr;
        int events = 0;
    };

    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] bool has_priority(int priority) const noexcept { return !lists_[index(priority)].empty(); }

    /// Adds to the events of one that is pending already.
    void add(watcher& which, int events) {
        auto& list = lists_[index(which.priority)];
        if (which.pending != 0) {
            list[which.pending - 1].events |= events;
            return;
        }
        list.push_back({&which, events});
        which.pending = static_cast<std::uint32_t>(list.size());
        ++count_;
    }

    void remove(watcher& which) noexcept {
        if (which.pending == 0) return;
        lists_[index(which.priority)][which.pending - 1].which = nullptr;
        which.pending = 0;
        --count_;
    }

    /// The next one; nothing when none is left.
    [[nodiscard]] entry take() noexcept {
        for (auto list = lists_.rbegin(); list != lists_.rend(); ++list) {
            while (!list->empty()) {
                const entry last = list->back();
                list->pop_back();
                if (last.which == nullptr) continue;
                last.which->pending = 0;
                --count_;
                return last;
            }
        }
        return {};
    }

  private:
    [[nodiscard]] static std::size_t index(int priority) noexcept {
        return static_cast<std::size_t>(priority - lowest_priority);
    }

    std::array<std::vector<entry>, highest_priority - lowest_priority + 1> lists_;
    std::size_t count_ = 0;
};

}  // namespace unicoro::python::gevent
