// SPDX-License-Identifier: MIT
#include "python/gevent/timer_heap.hpp"

#include <algorithm>

namespace unicoro::python::gevent {
namespace {

// Flatter than a binary heap: most timers are deadlines that are removed before they come up.
constexpr std::size_t arity = 4;

bool before(const timer_watcher* a, const timer_watcher* b) noexcept {
    return a->at < b->at || (!(b->at < a->at) && a->order < b->order);
}

}  // namespace

void timer_heap::place(std::size_t where, timer_watcher* timer) noexcept {
    nodes_[where] = timer;
    timer->place = where;
}

void timer_heap::rise(std::size_t from) noexcept {
    timer_watcher* const timer = nodes_[from];
    while (from > 0) {
        const std::size_t parent = (from - 1) / arity;
        if (!before(timer, nodes_[parent])) break;
        place(from, nodes_[parent]);
        from = parent;
    }
    place(from, timer);
}

void timer_heap::sink(std::size_t from) noexcept {
    timer_watcher* const timer = nodes_[from];
    for (;;) {
        const std::size_t begin = from * arity + 1;
        if (begin >= nodes_.size()) break;
        const std::size_t end = std::min(begin + arity, nodes_.size());
        std::size_t least = begin;
        for (std::size_t each = begin + 1; each < end; ++each) {
            if (before(nodes_[each], nodes_[least])) least = each;
        }
        if (!before(nodes_[least], timer)) break;
        place(from, nodes_[least]);
        from = least;
    }
    place(from, timer);
}

void timer_heap::insert(timer_watcher& timer) {
    nodes_.push_back(&timer);
    timer.order = started_++;
    rise(nodes_.size() - 1);
}

void timer_heap::remove(timer_watcher& timer) noexcept {
    timer_watcher* const last = nodes_.back();
    nodes_.pop_back();
    if (last == &timer) return;
    place(timer.place, last);
    rise(last->place);
    sink(last->place);
}

void timer_heap::moved(timer_watcher& timer) noexcept {
    timer.order = started_++;
    rise(timer.place);
    sink(timer.place);
}

}  // namespace unicoro::python::gevent
