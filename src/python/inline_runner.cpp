// SPDX-License-Identifier: MIT
#include "python/inline_runner.hpp"

#include <utility>

namespace unicoro::python {

awaitable<void> inline_runner::handle(wsgi_runtime& application, app::exchange& request) {
    if (!admit(application, request)) co_return;
    app::spooled_body body;
    if (has_body(request)) {
        const bool taken = co_await take_body(request, body);
        if (!taken) co_return;
    }
    turnstile::turn turn = turns_.try_enter();
    if (!turn) {
        turnstile::turn granted = co_await turns_.enter();
        if (!granted) co_return;
        turn = std::move(granted);
    }
    wsgi_call call(application, request);
    wsgi_call::step step = call.begin(std::move(body));
    while (step.what == wsgi_call::action::write) {
        const error_code failed = co_await request.write(step.bytes);
        if (failed) co_return;
        step = call.next();
    }
    // From here on nothing is left in the application: the next request may enter it.
    turn.release();
    if (step.what != wsgi_call::action::none) co_await deliver(request, step);
}

}  // namespace unicoro::python
