// SPDX-License-Identifier: MIT
#include "python/wsgi/wsgi_runner.hpp"

#include "app/body_refusal.hpp"

namespace unicoro::python {

bool has_body(const app::exchange& request) noexcept {
    const http::request_head& head = request.head();
    return head.framing == http::body_framing::chunked || head.content_length > 0;
}

awaitable<bool> take_body(app::exchange& request, app::spooled_body& body) {
    const error_code failed = co_await body.fill(request);
    if (failed) refuse_body(request, failed);
    co_return !failed;
}

awaitable<void> deliver(app::exchange& request, const wsgi_call::step& last) {
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
