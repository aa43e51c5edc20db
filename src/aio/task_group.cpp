// SPDX-License-Identifier: MIT
#include "aio/task_group.hpp"

#include "aio/cancellation.hpp"
#include "base/exception_text.hpp"
#include "log/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace unicoro::aio {
namespace {

class named_task final : public task {
  public:
    explicit named_task(std::string name) : name_(std::move(name)) {}
    std::string name() const override { return name_; }

  private:
    std::string name_;
};

void log_failure(const task& which, const std::exception_ptr& failure) {
    if (is_cancellation(failure)) return;
    log::error("{} ended: {}", which.name(), base::exception_text(failure));
}

}  // namespace

/// What co_spawn calls to have the coroutine: a cancellation that comes before that must not reach Asio,
/// which would throw out of io_context::run.
struct task_group::entry {
    task* which;
    awaitable<void> body;

    awaitable<void> operator()() {
        awaitable<void> own = std::move(body);
        if (which->stage_ == task::stage::cancelled) {
            throw boost::system::system_error(asio::error::operation_aborted);
        }
        which->stage_ = task::stage::begun;
        return own;
    }
};

struct task_group::completion {
    task_group* group;
    task* which;

    void operator()(std::exception_ptr failure) const noexcept { group->finished(*which, failure); }
};

void task::cancel() {
    if (stage_ == stage::begun) {
        signal_.emit(asio::cancellation_type::terminal);
    } else {
        stage_ = stage::cancelled;
    }
}

task_group::~task_group() {
    running_.clear_and_dispose([](task* left) { delete left; });
}

void task_group::spawn(std::unique_ptr<task> owner, awaitable<void> body) {
    task& which = *owner.release();
    running_.push_back(which);
    asio::co_spawn(
        io_.get_executor(),
        entry{&which, std::move(body)},
        asio::bind_cancellation_slot(which.signal_.slot(), completion{this, &which})
    );
}

void task_group::spawn(std::string name, awaitable<void> body) {
    spawn(std::make_unique<named_task>(std::move(name)), std::move(body));
}

void task_group::cancel_all() {
    // Cancelling posts, it does not resume: the list stays as it is meanwhile.
    for (task& each : running_) each.cancel();
}

void task_group::finished(task& which, std::exception_ptr failure) noexcept {
    if (failure) log_failure(which, failure);
    running_.erase(running_.iterator_to(which));
    // The coroutine's frame, still on its way out, refers to the signal: free it from the loop.
    asio::post(io_, [ended = std::unique_ptr<task>(&which)] {});
    if (!running_.empty()) return;
    emptied_.set();
    if (on_empty_) on_empty_();
}

awaitable<void> task_group::close() {
    cancel_all();
    while (!empty()) {
        [[maybe_unused]] const auto [ec] = co_await emptied_.wait();
    }
}

}  // namespace unicoro::aio
