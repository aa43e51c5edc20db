// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace unicoro::aio {

/// A coroutine under the care of a task_group. The group owns it until the coroutine has ended.
class task : public boost::intrusive::list_base_hook<> {
  public:
    task() = default;
    task(const task&) = delete;
    task& operator=(const task&) = delete;
    virtual ~task() = default;

    /// For the log.
    [[nodiscard]] virtual std::string name() const = 0;

    /// Aborts what the coroutine awaits; its next co_await throws operation_aborted.
    virtual void cancel() { signal_.emit(asio::cancellation_type::terminal); }

  private:
    friend class task_group;

    // Must outlive the coroutine's last operation (a destroyed signal is a use-after-free there).
    asio::cancellation_signal signal_;
};

/// The coroutines of a worker: starts them, logs what they throw, counts them, cancels them. Must
/// outlive the io_context's run. Worker only.
class task_group {
  public:
    explicit task_group(asio::io_context& io) : io_(io) {}
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;
    ~task_group();

    /// Starts `body` at once when called on the loop. `owner` is destroyed some time after its end.
    void spawn(std::unique_ptr<task> owner, awaitable<void> body);
    void spawn(std::string name, awaitable<void> body);

    void cancel_all();

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
    struct completion;

    void finished(task& which, std::exception_ptr failure) noexcept;

    asio::io_context& io_;
    boost::intrusive::list<task> running_;
    std::vector<std::unique_ptr<task>> ended_;
    std::function<void()> on_empty_;
};

}  // namespace unicoro::aio
