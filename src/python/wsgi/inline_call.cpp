// SPDX-License-Identifier: MIT
#include "python/wsgi/inline_call.hpp"

#include "os/cpu_time.hpp"
#include "python/loop/held_loop.hpp"
#include "python/runtime/gil.hpp"
#include "python/runtime/interpreter.hpp"

#include <unicoro/sleep.hpp>

#include <chrono>
#include <utility>

namespace unicoro::python {
namespace {

using clock = std::chrono::steady_clock;

// A piece that took longer to send has waited, and the loop has run meanwhile.
constexpr std::chrono::milliseconds at_once{1};

}  // namespace

// With the GIL.
class inline_call::visit {
  public:
    explicit visit(inline_call& call) : call_(call), measures_cpu_(call.request_.measures_cpu()) {
        if (measures_cpu_) cpu_before_ = os::thread_cpu_time();
        if (call_.writers_ == 0) {
            call_.visited_ = true;
            return;
        }
        const std::lock_guard lock(call_.mutex_);
        call_.visited_ = true;
        call_.news_.notify_all();
    }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    ~visit() {
        if (measures_cpu_) call_.request_.add_cpu_time(os::thread_cpu_time() - cpu_before_);
        if (call_.writers_ == 0) {
            call_.visited_ = false;
            return;
        }
        const gil_release others_turn;
        std::unique_lock lock(call_.mutex_);
        // First, or the thread that is waited for might begin the next piece in between.
        call_.visited_ = false;
        call_.news_.wait(lock, [this] { return !call_.writing_; });
    }

  private:
    inline_call& call_;
    const bool measures_cpu_;
    std::chrono::nanoseconds cpu_before_{};
    const held_loop::call held_;
};

inline_call::~inline_call() {
    if (!entered_ || !interpreter::running()) return;
    const gil_lock gil;
    leave();
    const held_loop::call held;
    alive_();
    call_.give_up();
}

wsgi_call::step inline_call::begin(request_body body) {
    entered_ = true;
    alive_();
    const gil_lock gil;
    wsgi_call::step step;
    {
        const visit here(*this);
        step = call_.begin(std::move(body), *this);
    }
    if (step.what != wsgi_call::action::write) leave();
    return step;
}

wsgi_call::step inline_call::next() {
    const gil_lock gil;
    wsgi_call::step step;
    {
        const visit here(*this);
        step = call_.next();
    }
    if (step.what != wsgi_call::action::write) leave();
    return step;
}

awaitable<error_code> inline_call::send(std::string_view piece) {
    const clock::time_point begin = clock::now();
    // A response without an end is to learn of a drain, and so the loop must first.
    if (held_loop::drains() && !std::exchange(drain_seen_, true)) co_await sleep_for(at_once);
    const error_code failed = co_await request_.write(piece);
    if (failed) client_gone_ = true;
    // The time that the master gives counts anew, as from any other turn of the loop.
    if (clock::now() - begin > at_once) alive_();
    co_return failed;
}

// With the GIL. Nobody comes in here any more, and nobody is when this returns.
void inline_call::leave() {
    entered_ = false;
    over_ = true;
    if (writers_ == 0) return;
    const gil_release others_turn;
    std::unique_lock lock(mutex_);
    news_.notify_all();
    news_.wait(lock, [this] { return writers_ == 0; });
}

bool inline_call::cancelled() const noexcept {
    return held_loop::ends() == held_loop::ending::stopped;
}

template <class Action>
bool inline_call::act(Action action) {
    if (over_) return refuse_over();
    {
        // From here on this object waits for the writer.
        const std::lock_guard lock(mutex_);
        ++writers_;
    }
    bool over = false;
    error_code failed;
    {
        const gil_release others_turn;
        std::unique_lock lock(mutex_);
        news_.wait(lock, [this] { return over_ || (visited_ && !writing_); });
        over = over_;
        if (!over) {
            writing_ = true;
            lock.unlock();
            failed = action();
            lock.lock();
            writing_ = false;
        }
    }
    if (failed && failed != errc::cancelled) client_gone_ = true;
    {
        const std::lock_guard lock(mutex_);
        --writers_;
        news_.notify_all();
    }
    if (!over && !failed) return true;
    // A signal may have raised something of its own.
    if (PyErr_Occurred() != nullptr) return false;
    return over || failed == errc::cancelled ? refuse_over() : refuse_gone(failed);
}

bool inline_call::write(std::string_view piece, PyObject*) {
    return act([&] { return request_.write_in_line(piece, &held_loop::interrupted); });
}

bool inline_call::hint(const http::response_head& hints) {
    return act([&] {
        request_.hint(hints);
        return error_code();
    });
}

}  // namespace unicoro::python
