// SPDX-License-Identifier: MIT
#include "python/wsgi/inline_runner.hpp"

#include "python/loop/held_loop.hpp"
#include "python/runtime/python_place.hpp"
#include "python/wsgi/inline_call.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace unicoro::python {
namespace {

void refuse(app::exchange& request) {
    request.fail(503, "The server is shutting down");
}

/// That a request is in the application now, or between two pieces of its response.
class on_loop final : public app::running_request {
  public:
    explicit on_loop(app::exchange& request) : request_(request) { request_.runs_as(this); }
    on_loop(const on_loop&) = delete;
    on_loop& operator=(const on_loop&) = delete;
    ~on_loop() { request_.runs_as(nullptr); }

    /// While the loop asks, nothing of it runs.
    std::string stack() const override { return {}; }
    std::shared_ptr<app::code_place> place() override { return place_of("loop", Py_None); }

  private:
    app::exchange& request_;
};

/// Answers a request whose code was ended from outside, and says so.
bool was_ended(app::exchange& request) {
    switch (held_loop::ends()) {
        case held_loop::ending::none: return false;
        case held_loop::ending::aborted: request.fail(504, "The request took longer than timeout"); break;
        case held_loop::ending::stopped: refuse(request); break;
    }
    return true;
}

}  // namespace

awaitable<void> inline_runner::run(wsgi_runtime& application, app::exchange& request, request_body body) {
    turnstile::turn turn = turns_.try_enter();
    if (!turn) {
        turnstile::turn granted = co_await turns_.enter();
        if (!granted) co_return;
        turn = std::move(granted);
    }
    if (held_loop::ends() != held_loop::ending::none) {
        refuse(request);
        co_return;
    }
    std::optional<on_loop> here(std::in_place, request);
    inline_call call(application, request, alive_);
    wsgi_call::step step = call.begin(std::move(body));
    while (step.what == wsgi_call::action::write) {
        const error_code failed = co_await call.send(step.bytes);
        if (failed) co_return;
        step = call.next();
    }
    // From here on nothing is left in the application: the next request may enter it.
    here.reset();
    turn.release();
    if (step.what == wsgi_call::action::fail && was_ended(request)) co_return;
    if (step.what != wsgi_call::action::none) co_await deliver(request, step);
}

}  // namespace unicoro::python
