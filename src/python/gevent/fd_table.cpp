// SPDX-License-Identifier: MIT
#include "python/gevent/fd_table.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace unicoro::python::gevent {
namespace {

constexpr int at_once = 256;
constexpr int most_rounds = 8;

constexpr std::uint64_t bare_mark = ~std::uint64_t{0};

std::uint32_t to_kernel(int events) noexcept {
    return ((events & event::read) != 0 ? EPOLLIN : 0U) | ((events & event::write) != 0 ? EPOLLOUT : 0U);
}

int from_kernel(std::uint32_t events) noexcept {
    return ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0 ? event::write : 0) |
           ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 ? event::read : 0);
}

}  // namespace

fd_table::~fd_table() {
    if (epoll_ >= 0) ::close(epoll_);
}

error_code fd_table::open() {
    const int made = ::epoll_create1(EPOLL_CLOEXEC);
    if (made < 0) return {errno, boost::system::system_category()};
    if (epoll_ >= 0) ::close(epoll_);
    epoll_ = made;
    files_.clear();
    for (std::size_t fd = 0; fd < entries_.size(); ++fd) {
        entry& each = entries_[fd];
        each.wanted = each.in_kernel = 0;
        each.is_file = false;
        if (each.first != nullptr) mark(static_cast<int>(fd), true);
    }
    return {};
}

void fd_table::mark(int fd, bool fresh) {
    entry& at = entries_[static_cast<std::size_t>(fd)];
    at.fresh = at.fresh || fresh;
    if (at.changed) return;
    at.changed = true;
    changes_.push_back(fd);
}

void fd_table::add(io_watcher& watching) {
    const auto number = static_cast<std::size_t>(watching.fd);
    if (number >= entries_.size()) entries_.resize(std::max(number + 1, entries_.size() * 2));
    entry& at = entries_[number];
    watching.next = at.first;
    at.first = &watching;
    mark(watching.fd, (watching.events & event::fresh) != 0);
    watching.events &= ~event::fresh;
}

void fd_table::remove(io_watcher& watching) noexcept {
    entry& at = entries_[static_cast<std::size_t>(watching.fd)];
    io_watcher** link = &at.first;
    while (*link != nullptr && *link != &watching) link = &(*link)->next;
    if (*link == nullptr) return;
    *link = watching.next;
    watching.next = nullptr;
    mark(watching.fd, false);
}

std::vector<io_watcher*> fd_table::release_all() {
    std::vector<io_watcher*> released;
    for (entry& each : entries_) {
        while (each.first != nullptr) {
            io_watcher* const first = each.first;
            each.first = std::exchange(first->next, nullptr);
            released.push_back(first);
        }
        each.changed = each.fresh = false;
    }
    changes_.clear();
    return released;
}

bool fd_table::tell(int operation, int fd, entry& at) noexcept {
    epoll_event told{};
    told.events = to_kernel(at.in_kernel);
    told.data.u64 = static_cast<std::uint32_t>(fd) | std::uint64_t{at.generation} << 32;
    return ::epoll_ctl(epoll_, operation, fd, &told) == 0;
}

/// False when the descriptor is of no use.
bool fd_table::modify(int fd, entry& at, int before) {
    if (at.wanted == 0) return true;  // lazily: see deliver
    const int known = at.in_kernel;
    at.in_kernel = at.wanted;
    at.is_file = false;
    ++at.generation;
    const bool modifies = before != 0 && known != at.wanted;
    if (tell(modifies ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, at)) return true;
    switch (errno) {
        case ENOENT:  // closed and opened anew behind our back
            if (tell(EPOLL_CTL_ADD, fd, at)) return true;
            break;
        case EEXIST:
            if (known == at.wanted) {  // never taken out, and still the same
                --at.generation;
                return true;
            }
            if (tell(EPOLL_CTL_MOD, fd, at)) return true;
            break;
        case EPERM:
            at.in_kernel = 0;
            at.is_file = true;
            if (std::find(files_.begin(), files_.end(), fd) == files_.end()) files_.push_back(fd);
            return true;
        default: break;
    }
    at.in_kernel = 0;
    return false;
}

void fd_table::apply(std::vector<io_watcher*>& lost) {
    for (const int fd : changes_) {
        entry& at = entries_[static_cast<std::size_t>(fd)];
        const int before = at.wanted;
        const bool fresh = at.fresh;
        at.changed = at.fresh = false;
        at.wanted = 0;
        for (const io_watcher* each = at.first; each != nullptr; each = each->next) {
            at.wanted |= each->events & (event::read | event::write);
        }
        if (!fresh && before == at.wanted) continue;
        if (modify(fd, at, before)) continue;
        for (io_watcher* each = at.first; each != nullptr; each = each->next) lost.push_back(each);
    }
    changes_.clear();
}

bool fd_table::deliver(int fd, std::uint32_t generation, int got, pending_queue& ready) {
    entry& at = entries_[static_cast<std::size_t>(fd)];
    if (generation != at.generation) return false;
    if ((got & ~at.wanted) != 0) {
        at.in_kernel = at.wanted;
        const int operation = at.wanted != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
        if (!tell(operation, fd, at)) return false;
    }
    // One that has changed since is asked for the next time.
    if (!at.changed) feed(fd, got, ready);
    return true;
}

error_code fd_table::add_bare(int fd) noexcept {
    epoll_event told{};
    told.events = EPOLLIN;
    told.data.u64 = bare_mark;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &told) == 0) return {};
    return {errno, boost::system::system_category()};
}

fd_table::news fd_table::collect(pending_queue& ready) {
    std::array<epoll_event, at_once> events;
    int count = at_once;
    news found;
    for (int round = 0; round < most_rounds && count == at_once; ++round) {
        count = ::epoll_wait(epoll_, events.data(), at_once, 0);
        for (int i = 0; i < count; ++i) {
            const epoll_event& each = events[static_cast<std::size_t>(i)];
            if (each.data.u64 == bare_mark) {
                found.bare = true;
                continue;
            }
            const auto fd = static_cast<std::uint32_t>(each.data.u64);
            const auto generation = static_cast<std::uint32_t>(each.data.u64 >> 32);
            if (!deliver(static_cast<int>(fd), generation, from_kernel(each.events), ready)) {
                found.out_of_step = true;
            }
        }
    }
    return found;
}

void fd_table::collect_files(pending_queue& ready) {
    for (std::size_t i = files_.size(); i-- > 0;) {
        entry& at = entries_[static_cast<std::size_t>(files_[i])];
        if (at.is_file && at.wanted != 0) {
            feed(files_[i], at.wanted, ready);
        } else {
            at.is_file = false;
            files_[i] = files_.back();
            files_.pop_back();
        }
    }
}

void fd_table::feed(int fd, int events, pending_queue& ready) {
    if (fd < 0 || static_cast<std::size_t>(fd) >= entries_.size()) return;
    io_watcher* each = entries_[static_cast<std::size_t>(fd)].first;
    for (; each != nullptr; each = each->next) {
        const int its = each->events & events & (event::read | event::write);
        if (its != 0) ready.add(*each, its);
    }
}

}  // namespace unicoro::python::gevent
