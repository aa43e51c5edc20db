// SPDX-License-Identifier: MIT
#include "python/wsgi/inline_runner.hpp"

#include "python/loop/held_loop.hpp"
#include "python/wsgi/inline_call.hpp"

#include <utility>

namespace unicoro::python {
namespace {

void refuse(app::exchange& request) {
    request.fail(503, "The server is shutting down");
}

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
    inline_call call(application, request, alive_);
    wsgi_call::step step = call.begin(std::move(body));
    while (step.what == wsgi_call::action::write) {
        const error_code failed = co_await call.send(step.bytes);
        if (failed) co_return;
        step = call.next();
    }
    // From here on nothing is left in the application: the next request may enter it.
    turn.release();
    if (step.what == wsgi_call::action::fail && was_ended(request)) co_return;
    if (step.what != wsgi_call::action::none) co_await deliver(request, step);
}

}  // namespace unicoro::python
