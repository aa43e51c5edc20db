// SPDX-License-Identifier: MIT
#include "python/wsgi/threads/thread_runner.hpp"

#include "python/runtime/gil.hpp"

#include <boost/system/system_error.hpp>

#include <utility>

namespace unicoro::python {

/// The coroutine's side of a call: when it leaves before the application is done, that is told.
class thread_runner::presence {
  public:
    presence(thread_runner& runner, app::exchange& request, thread_call& call)
        : request_(request), call_(call) {
        request_.runs_as(&call_);
        runner.present_.push_back(call_);
    }
    presence(const presence&) = delete;
    presence& operator=(const presence&) = delete;
    ~presence() {
        call_.unlink();
        request_.runs_as(nullptr);
        if (!call_.finished()) call_.abandon();
    }

  private:
    app::exchange& request_;
    thread_call& call_;
};

awaitable<void> thread_runner::send_what_comes(thread_call& call, app::exchange& request) {
    for (;;) {
        const thread_call::news next = call.take_news();
        if (next.failed) {
            call.sent(next.failed);
            throw boost::system::system_error(next.failed);
        }
        if (!next.piece.empty()) {
            const error_code failed = co_await request.write(next.piece);
            call.sent(failed);
            continue;
        }
        if (next.finished) co_return;
        const auto [cancelled] = co_await call.bell();
        if (cancelled) throw boost::system::system_error(cancelled);
    }
}

awaitable<void> thread_runner::handle(wsgi_runtime& application, app::exchange& request) {
    app::spooled_body body;
    if (has_body(request)) {
        const bool taken = co_await take_body(request, body);
        if (!taken) co_return;
    }
    const thread_call_ptr call(new thread_call(io_, application, request, std::move(body)));
    {
        const presence here(*this, request, *call);
        pool_.submit(call);
        co_await send_what_comes(*call, request);
    }
    if (call->taken_away()) throw boost::system::system_error(errc::cancelled);
    const wsgi_call::step& last = call->last_step();
    if (last.what == wsgi_call::action::none) co_return;
    co_await deliver(request, last);
    if (last.what == wsgi_call::action::send) pool_.retire(call);
}

// Each of them alone would wait for the GIL once more, behind all the threads that are busy.
void thread_runner::cancel_all() {
    if (present_.empty()) return;
    const gil_lock gil;
    for (thread_call& each : present_) {
        if (!each.taken_away()) each.take_away();
    }
}

}  // namespace unicoro::python
