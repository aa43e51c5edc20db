// SPDX-License-Identifier: MIT
#include "aio/task_group.hpp"

#include "aio/cancellation.hpp"
#include "log/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

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
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        log::error("{} ended: {}", which.name(), error.what());
    } catch (...) {
        log::error("{} ended by an exception that is not a std::exception", which.name());
    }
}

}  // namespace

struct task_group::completion {
    task_group* group;
    task* which;

    void operator()(std::exception_ptr failure) const noexcept { group->finished(*which, failure); }
};

task_group::~task_group() {
    running_.clear_and_dispose([](task* left) { delete left; });
}

void task_group::spawn(std::unique_ptr<task> owner, awaitable<void> body) {
    task& which = *owner.release();
    running_.push_back(which);
    asio::co_spawn(
        io_.get_executor(),
        std::move(body),
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
    ended_.emplace_back(&which);
    if (ended_.size() == 1) {
        asio::post(io_, [this] { ended_.clear(); });
    }
    if (running_.empty() && on_empty_) on_empty_();
}

}  // namespace unicoro::aio
