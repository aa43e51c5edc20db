// SPDX-License-Identifier: MIT
#include "python/wsgi/threads/thread_call.hpp"

#include "os/cpu_time.hpp"
#include "python/runtime/gil.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/python_place.hpp"
#include "python/runtime/text.hpp"
#include "python/runtime/thread_exception.hpp"
#include "python/runtime/traceback.hpp"
#include "python/wsgi/threads/thread_runner.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace unicoro::python {

/// What a thread that Python does not know asks. Its reference may be the last.
class thread_call::outsider final : public app::running_request {
  public:
    explicit outsider(thread_call_ptr call) noexcept : call_(std::move(call)) {}
    outsider(const outsider&) = delete;
    outsider& operator=(const outsider&) = delete;
    ~outsider() {
        if (!interpreter::running()) {
            [[maybe_unused]] thread_call* const lost = call_.detach();
            return;
        }
        const gil_visit here;
        call_.reset();
    }

    std::string stack() const override {
        if (!interpreter::running()) return {};
        const gil_visit here;
        return call_->stack();
    }
    std::optional<std::chrono::nanoseconds> cpu_time() const override {
        if (!interpreter::running()) return std::nullopt;
        const gil_visit here;
        return call_->cpu_time();
    }

  private:
    thread_call_ptr call_;
};

thread_call::thread_call(
    thread_runner& runner, wsgi_runtime& runtime, app::exchange& request, request_body body
)
    : attended_call(runner.context(), runtime, request, std::move(body)),
      runner_(runner),
      io_(runner.context()),
      logs_cpu_(request.measures_cpu()) {}

void thread_call::hand_over() {
    runner_.admit(*this);
}

bool thread_call::has_errand() {
    const std::lock_guard lock(mutex_);
    rung_ = false;
    lost_ = unsent_.take(sending_);
    done_ = finished_;
    cpu_seen_ = cpu_used_;
    return lost_ || !sending_.empty() || hints_ != nullptr;
}

awaitable<void> thread_call::run_errand(app::exchange& request) {
    if (lost_) {
        sent(lost_);
        throw boost::system::system_error(lost_);
    }
    pass_hints(request);
    if (sending_.empty()) co_return;
    const error_code failed = co_await request.write(sending_);
    sent(failed);
}

// They belong to the thread that waits.
void thread_call::pass_hints(app::exchange& request) {
    {
        const std::lock_guard lock(mutex_);
        if (hints_ == nullptr) return;
        request.hint(*hints_);
        hints_ = nullptr;
    }
    room_.notify_all();
}

void thread_call::sent(error_code outcome) {
    {
        const std::lock_guard lock(mutex_);
        if (outcome) failed_ = outcome;
    }
    room_.notify_all();
}

void thread_call::leave() {
    unlink();
    {
        const std::lock_guard lock(mutex_);
        if (finished_) return;
    }
    if (!taken_away()) {
        const gil_lock gil;
        take_away();
    }
    sent(errc::cancelled);
}

void thread_call::answered() {
    // It still holds the bytes that were sent.
    if (last_step().what == wsgi_call::action::send) runner_.retire(*this);
}

void thread_call::take_away() {
    request_.detach();
    const py_ref why = package::find("_unicoro", "RequestCancelled");
    if (thread_ != nullptr && why) {
        raise_in(*thread_, why.get());
        raised_ = true;
    }
    PyErr_Clear();
}

void thread_call::ring() {
    asio::post(io_, [call = thread_call_ptr(this)] { call->bell_.set(); });
}

void thread_call::run() {
    if (request_.detached()) return;
    thread_ = PyThreadState_Get();
    if (runner_.measures_cpu() || logs_cpu_) cpu_before_ = os::thread_cpu_time();
    run_application();
    end();
}

void thread_call::giving_up() {
    // What close() runs for the application must come to its end: nothing is raised in it any more.
    thread_ = nullptr;
    if (std::exchange(raised_, false)) drop_raised();
}

void thread_call::end() {
    thread_ = nullptr;
    // It came too late, and must not meet the thread's next request.
    if (raised_) drop_raised();
    {
        const std::lock_guard lock(mutex_);
        if (logs_cpu_) cpu_used_ = os::thread_cpu_time() - cpu_before_;
        finished_ = true;
    }
    room_.notify_all();
    ring();
}

bool thread_call::write(std::string_view piece, PyObject*) {
    const thread_call_ptr self(this);
    error_code failed;
    bool over = false;
    bool first = false;
    {
        const gil_release others_turn;
        std::unique_lock lock(mutex_);
        // A client that is slow does not hold the thread, until the file that is kept for it is full.
        room_.wait(lock, [&] { return failed_ || finished_ || unsent_.add(piece); });
        failed = failed_;
        over = finished_;
        first = !std::exchange(rung_, true);
    }
    if (first) ring();
    if (!failed && !over) return true;
    if (over) return refuse_over();
    client_gone_ = true;
    return refuse_gone(failed);
}

// The coroutine sends them, so that they are out before the response of a thread that is quick.
bool thread_call::hint(const http::response_head& hints) {
    const thread_call_ptr self(this);
    const gil_release others_turn;
    std::unique_lock lock(mutex_);
    const auto ended = [&] { return failed_ || finished_; };
    room_.wait(lock, [&] { return hints_ == nullptr || ended(); });
    // Of a client that has gone, or a request that is over, nobody misses them.
    if (ended()) return true;
    hints_ = &hints;
    if (!std::exchange(rung_, true)) ring();
    room_.wait(lock, [&] { return hints_ != &hints || ended(); });
    if (hints_ == &hints) hints_ = nullptr;
    return true;
}

py_ref thread_call::read(std::size_t, std::size_t) {
    return bytes_of({});
}

std::string thread_call::stack() const {
    if (!interpreter::running()) return {};
    const gil_lock gil;
    return thread_ != nullptr ? describe_thread(thread_->thread_id) : std::string();
}

std::optional<std::chrono::nanoseconds> thread_call::cpu_time() const {
    if (!interpreter::running()) return std::nullopt;
    const gil_lock gil;
    // The runner is there as long as a thread is in the application.
    if (thread_ == nullptr || !runner_.measures_cpu()) return std::nullopt;
    const auto used = os::thread_cpu_time(thread_->thread_id);
    return used ? std::optional(*used - cpu_before_) : std::nullopt;
}

std::shared_ptr<app::code_place> thread_call::place() {
    if (thread_ == nullptr) return nullptr;
    const py_ref number = py_ref::steal(PyLong_FromUnsignedLong(thread_->thread_id));
    return number ? place_of("thread", number.get()) : nullptr;
}

std::shared_ptr<const app::running_request> thread_call::from_outside() {
    return std::make_shared<const outsider>(thread_call_ptr(this));
}

}  // namespace unicoro::python
