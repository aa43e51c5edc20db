// SPDX-License-Identifier: MIT
#pragma once

#include "python/gevent/pending_queue.hpp"
#include "python/gevent/watcher.hpp"

#include <unicoro/result.hpp>

#include <cstdint>
#include <vector>

namespace unicoro::python::gevent {

/// The descriptors that io watchers wait for, in a level-triggered epoll. System calls are saved:
/// changes are told to the kernel before it is asked the next time, and one that nobody waits for
/// any more is taken out when it becomes ready.
class fd_table {
  public:
    fd_table() = default;
    fd_table(const fd_table&) = delete;
    fd_table& operator=(const fd_table&) = delete;
    ~fd_table();

    /// Makes the epoll, or after a fork a new one.
    [[nodiscard]] error_code open();

    [[nodiscard]] int epoll_fd() const noexcept { return epoll_; }

    void add(io_watcher& watching);
    void remove(io_watcher& watching) noexcept;

    /// Forgets all watchers; returns them.
    [[nodiscard]] std::vector<io_watcher*> release_all();

    /// Tells the kernel what has changed. Watchers of descriptors that cannot be watched are put
    /// into `lost`: they are to be stopped and told.
    void apply(std::vector<io_watcher*>& lost);

    /// Some descriptors are files, which are always ready.
    [[nodiscard]] bool always_ready() const noexcept { return !files_.empty(); }

    /// Watches a descriptor for reading that has no watcher, for as long as the epoll lives.
    [[nodiscard]] error_code add_bare(int fd) noexcept;

    struct news {
        bool bare = false;         ///< that descriptor is ready
        bool out_of_step = false;  ///< one was closed while a duplicate of it lives: `open` anew
    };

    /// Asks which descriptors are ready.
    [[nodiscard]] news collect(pending_queue& ready);
    void collect_files(pending_queue& ready);

    /// Acts as if these events had come.
    void feed(int fd, int events, pending_queue& ready);

  private:
    struct entry {
        io_watcher* first = nullptr;
        std::uint32_t generation = 0;
        int wanted = 0;     // by the watchers, when last applied
        int in_kernel = 0;  // what the epoll was told last
        bool changed = false;
        bool fresh = false;  // the number may mean another file than before
        bool is_file = false;
    };

    void mark(int fd, bool fresh);
    [[nodiscard]] bool modify(int fd, entry& at, int before);
    [[nodiscard]] bool tell(int operation, int fd, entry& at) noexcept;
    [[nodiscard]] bool deliver(int fd, std::uint32_t generation, int got, pending_queue& ready);

    int epoll_ = -1;
    std::vector<entry> entries_;
    std::vector<int> changes_;
    std::vector<int> files_;
};

}  // namespace unicoro::python::gevent
