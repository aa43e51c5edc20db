// SPDX-License-Identifier: MIT
#pragma once

#include "python/gevent/callback_queue.hpp"
#include "python/gevent/fd_table.hpp"
#include "python/gevent/pending_queue.hpp"
#include "python/gevent/signal_pipe.hpp"
#include "python/gevent/timer_heap.hpp"
#include "python/gevent/watcher.hpp"

#include <array>
#include <memory>
#include <vector>

namespace unicoro::python {
class shared_reactor;
}

namespace unicoro::python::gevent {

/// How long `loop_core::run` runs.
enum class run_mode { until_done, one_turn, one_turn_nowait };

/// The event loop behind a Python loop object: watchers in, callbacks out, a shared_reactor to wait
/// in. With the GIL, on one thread; only `run_soon` and `send` are for other threads, too.
class loop_core {
  public:
    /// Null with an exception set. The one that is `default_` waits in the server's reactor, if a
    /// server is there; others make one of their own.
    [[nodiscard]] static std::unique_ptr<loop_core> make(loop_object& owner, bool is_default);
    loop_core(const loop_core&) = delete;
    loop_core& operator=(const loop_core&) = delete;
    ~loop_core();

    void run(run_mode mode);
    void leave() noexcept { done_ = true; }
    /// Its owner is gone while it runs: whoever runs it deletes it.
    void abandon() noexcept { abandoned_ = true; }
    [[nodiscard]] bool abandoned() const noexcept { return abandoned_; }

    /// False with an exception set.
    [[nodiscard]] bool start(watcher& which);
    void stop(watcher& which) noexcept;
    void again(timer_watcher& which);
    void feed(watcher& which, int events) { pending_.add(which, events); }
    void send(listed_watcher& which);

    /// Takes over nothing; null with an exception set.
    [[nodiscard]] PyObject* run_soon(PyObject* function, PyObject* args);

    /// Lets the watchers of a descriptor that is about to be closed know. True when there are any.
    [[nodiscard]] bool closing(int fd);

    /// In a child process: parts from the parent's reactor and descriptors.
    [[nodiscard]] bool reinit();

    /// The same, and forgets what the parent's greenlets wait for: all but signals, forks, and timers for
    /// the greenlets in the list `own`. `others`: a list of active watchers of derived classes. False with
    /// an exception set.
    [[nodiscard]] bool begin_child(PyObject* own, PyObject* others);

    void update_now() noexcept;
    [[nodiscard]] double now() const noexcept { return now_ + epoch_; }
    [[nodiscard]] bool may_update_now() const noexcept { return runs_callbacks_; }

    void ref() noexcept { ++active_; }
    void unref() noexcept { --active_; }
    [[nodiscard]] long active() const noexcept { return active_; }
    void forget_callbacks() noexcept;
    [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }
    [[nodiscard]] std::uint64_t turns() const noexcept { return turns_; }
    [[nodiscard]] unsigned depth() const noexcept { return depth_; }
    [[nodiscard]] int fileno() const noexcept { return fds_.epoll_fd(); }
    [[nodiscard]] bool is_default() const noexcept { return default_; }
    [[nodiscard]] callback_queue& callbacks() noexcept { return callbacks_; }

    /// Tells its owner of the exception that is set. `context` is what it came from.
    void report(PyObject* context) noexcept;

  private:
    struct own_reactor;

    loop_core(loop_object& owner, bool is_default);
    [[nodiscard]] bool open();
    [[nodiscard]] bool ready_signals();
    [[nodiscard]] bool open_signals();
    void turn(run_mode mode);
    void follow_fork();
    void abandon_callbacks() noexcept;
    [[nodiscard]] bool reopen_fds();
    [[nodiscard]] bool in_server() const noexcept;
    [[nodiscard]] bool has_work() const noexcept;
    [[nodiscard]] bool may_block(run_mode mode) noexcept;
    /// True when descriptors are ready.
    [[nodiscard]] bool wait(run_mode mode);
    void serve();
    void collect(bool fired);
    void collect_timers();
    void collect_signals();
    void collect_idle();
    void collect_list(watcher_kind kind, int event);
    void invoke_pending();
    void run_callbacks();
    void apply_fds();
    [[nodiscard]] std::vector<listed_watcher*>& list(watcher_kind kind) noexcept {
        return lists_[static_cast<std::size_t>(kind)];
    }
    [[nodiscard]] bool start_signal(listed_watcher& which);
    void stop_listed(listed_watcher& which) noexcept;

    loop_object& owner_;
    const bool default_;
    shared_reactor* reactor_ = nullptr;
    std::unique_ptr<own_reactor> own_;
    fd_table fds_;
    timer_heap timers_;
    callback_queue callbacks_;
    pending_queue pending_;
    signal_pipe signals_;
    std::array<std::vector<listed_watcher*>, watcher_kinds> lists_;
    std::vector<io_watcher*> lost_;
    std::vector<timer_watcher*> due_;
    double now_ = 0;    // seconds of the steady clock
    double epoch_ = 0;  // between it and the time of day
    double epoch_read_ = 0;
    long active_ = 0;
    std::uint64_t turns_ = 0;
    unsigned depth_ = 0;
    unsigned sent_ = 0;
    unsigned long fork_;  // the process it belongs to
    bool done_ = false;
    bool abandoned_ = false;
    bool waits_ = false;
    bool forked_ = false;
    bool out_of_step_ = false;
    bool runs_callbacks_ = false;
};

}  // namespace unicoro::python::gevent
