// SPDX-License-Identifier: MIT
#include "python/wsgi/wsgi_runner.hpp"

#include "app/body_refusal.hpp"

#include <utility>

namespace unicoro::python {

namespace {

bool has_body(const http::request_head& head) noexcept {
    return head.framing == http::body_framing::chunked || head.content_length > 0;
}

}  // namespace

awaitable<void> wsgi_runner::handle(wsgi_runtime& application, app::exchange& request) {
    const http::request_head& head = request.head();
    request_body body;
    if (has_body(head)) {
        if (!leaves_body(head)) return run_after_body(application, request);
        body.live = true;
    }
    if (!request.try_enter()) return run_when_let_in(application, request, std::move(body));
    return run(application, request, std::move(body));
}

awaitable<void> wsgi_runner::run_when_let_in(
    wsgi_runtime& application, app::exchange& request, request_body body
) {
    const bool entered = co_await request.enter();
    if (entered) co_await run(application, request, std::move(body));
}

awaitable<void> wsgi_runner::run_after_body(wsgi_runtime& application, app::exchange& request) {
    request_body body;
    const error_code failed = co_await body.whole.fill(request);
    if (failed) {
        app::refuse_body(request, failed);
        co_return;
    }
    if (!request.try_enter()) {
        const bool entered = co_await request.enter();
        if (!entered) co_return;
    }
    co_await run(application, request, std::move(body));
}

awaitable<void> deliver(app::exchange& request, const wsgi_call::step& last) {
    request.leave();
    // What cannot be sent now is the client's doing, and the connection knows it.
    if (last.what == wsgi_call::action::send) {
        [[maybe_unused]] const error_code sent = co_await request.send(last.bytes);
    } else if (last.what == wsgi_call::action::send_file) {
        const error_code failed = co_await request.write_file(last.fd, last.offset, last.count);
        if (failed) co_return;
        [[maybe_unused]] const error_code ended = co_await request.finish();
    } else if (last.what == wsgi_call::action::finish) {
        [[maybe_unused]] const error_code ended = co_await request.finish();
    } else if (last.what == wsgi_call::action::fail) {
        request.fail(500, "");
    }
}

}  // namespace unicoro::python
