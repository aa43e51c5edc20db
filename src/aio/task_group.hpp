// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "aio/event.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>

namespace unicoro::aio {

/// A coroutine under the care of a task_group. The group owns it until the coroutine has ended, and
/// frees it from the loop after that.
class task : public boost::intrusive::list_base_hook<> {
  public:
    task() = default;
    task(const task&) = delete;
    task& operator=(const task&) = delete;
    virtual ~task() = default;

    /// For the log.
    [[nodiscard]] virtual std::string name() const = 0;

    /// Aborts what the coroutine awaits; its next co_await throws operation_aborted. One that has not
    /// begun never does: it is destroyed unused.
    virtual void cancel();

  private:
    friend class task_group;

    enum class stage : std::uint8_t { waiting, cancelled, begun };

    // Must outlive the coroutine's last operation (a destroyed signal is a use-after-free there).
    asio::cancellation_signal signal_;
    stage stage_ = stage::waiting;
};

/// Coroutines that belong to one owner (a worker, a request): starts them, logs what they throw, counts
/// them, cancels them, awaits their end. Whatever a coroutine of the group throws ends here. The owner
/// must not go before the group is empty, nor what its coroutines refer to. Worker only.
class task_group {
  public:
    explicit task_group(asio::io_context& io) : io_(io), emptied_(io) {}
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;
    ~task_group();

    /// Starts `body` at once when called in a handler of the loop, else in one. `owner` is destroyed some
    /// time after its end.
    void spawn(std::unique_ptr<task> owner, awaitable<void> body);
    void spawn(std::string name, awaitable<void> body);

    void cancel_all();

    /// Cancels all and returns when none is left. For an owner that may itself be cancelled meanwhile: it
    /// must have switched this_coro::throw_if_cancelled off, or the wait is not even begun.
    awaitable<void> close();

    /// Visits the running tasks; `visit` must not end one on the spot.
    template <class Visit>
    void for_each(Visit visit) {
        for (task& each : running_) visit(each);
    }

    [[nodiscard]] bool empty() const noexcept { return running_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return running_.size(); }

    /// Called each time the last coroutine has ended.
    void on_empty(std::function<void()> callback) { on_empty_ = std::move(callback); }

  private:
    struct entry;
    struct completion;

    void finished(task& which, std::exception_ptr failure) noexcept;

    asio::io_context& io_;
    boost::intrusive::list<task> running_;
    event emptied_;
    std::function<void()> on_empty_;
};

}  // namespace unicoro::aio
