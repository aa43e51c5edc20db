// SPDX-License-Identifier: MIT
#pragma once

#include "aio/event.hpp"
#include "python/wsgi/detachable_exchange.hpp"
#include "python/wsgi/request_io.hpp"
#include "python/wsgi/wsgi_call.hpp"
#include "python/wsgi/wsgi_runner.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace unicoro::python {

/// One request whose application runs beside the loop, in a greenlet or on a thread, while the coroutine
/// of its connection attends to it (`attend`). Whoever is in here has a reference of its own, which the
/// classes below count: the coroutine may leave before the application does, and the other way round.
class attended_call : public request_io, public app::running_request {
  public:
    attended_call(const attended_call&) = delete;
    attended_call& operator=(const attended_call&) = delete;

    // --- in the coroutine

    /// Hands it to those who run applications.
    virtual void hand_over() = 0;
    /// Something is to be sent: `run_errand` does it, and takes `request` for that, which is the
    /// coroutine's own.
    [[nodiscard]] virtual bool has_errand() = 0;
    [[nodiscard]] virtual awaitable<void> run_errand(app::exchange& request) = 0;
    /// The application is done, and `has_errand` has found nothing after that.
    [[nodiscard]] virtual bool finished() const noexcept = 0;
    /// Waits until one of the two may be true.
    [[nodiscard]] auto bell() { return bell_.wait(); }
    /// The coroutine goes on without it; when the application is not done, that is told to it.
    virtual void leave() = 0;
    /// What the application left to be sent was sent.
    virtual void answered() {}
    /// What the application has used of the CPU, once it is done, where that was to be measured and can be.
    [[nodiscard]] virtual std::optional<std::chrono::nanoseconds> cpu_used() const noexcept {
        return std::nullopt;
    }
    [[nodiscard]] bool taken_away() const noexcept { return request_.detached(); }
    [[nodiscard]] const wsgi_call::step& last_step() const noexcept { return step_; }

  protected:
    attended_call(asio::io_context& io, wsgi_runtime& runtime, app::exchange& request, request_body body)
        : bell_(io),
          request_(request),
          call_(runtime, request_, app::loop_meanwhile::runs),
          body_(std::move(body)) {}
    ~attended_call() = default;

    /// Where the application runs, with the GIL: all of it, from the call to the last step.
    void run_application();

    aio::event bell_;
    detachable_exchange request_;

  private:
    /// A piece cannot be sent, and the application will be told by close(), which must come to its end.
    virtual void giving_up() {}

    wsgi_call call_;
    request_body body_;
    wsgi_call::step step_;
};

/// The coroutine's side of a call, from its beginning until it leaves, for whatever reason.
class attendance {
  public:
    attendance(app::exchange& request, attended_call& call) : request_(request), call_(call) {
        request_.runs_as(&call_);
    }
    attendance(const attendance&) = delete;
    attendance& operator=(const attendance&) = delete;
    ~attendance() {
        request_.runs_as(nullptr);
        call_.leave();
    }

  private:
    app::exchange& request_;
    attended_call& call_;
};

/// Answers a request by a call, which is an attended_call.
template <class Call>
awaitable<void> attend(app::exchange& request, boost::intrusive_ptr<Call> call) {
    {
        const attendance here(request, *call);
        call->hand_over();
        for (;;) {
            while (call->has_errand()) {
                co_await call->run_errand(request);
            }
            if (call->finished()) break;
            const auto [cancelled] = co_await call->bell();
            if (cancelled) throw boost::system::system_error(cancelled);
        }
        if (const auto used = call->cpu_used()) request.add_cpu_time(*used);
    }
    if (call->taken_away()) throw boost::system::system_error(errc::cancelled);
    const wsgi_call::step& last = call->last_step();
    if (last.what != wsgi_call::action::none) co_await deliver(request, last);
    call->answered();
}

}  // namespace unicoro::python
