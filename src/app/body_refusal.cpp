// SPDX-License-Identifier: MIT
#include "app/body_refusal.hpp"

#include "log/log.hpp"

namespace unicoro::app {

void refuse_body(exchange& request, error_code why) {
    if (why == errc::body_too_large) return request.fail(413, why.message());
    if (why == errc::malformed_body || why == errc::incomplete_body) {
        return request.fail(400, why.message());
    }
    if (why == errc::deadline_passed) {
        return request.fail(408, "The request body did not arrive within body_timeout");
    }
    if (why.category() != unicoro_category()) {
        log::error("cannot keep a request body in a temporary file: {}", why.message());
    }
    request.fail(500, "");
}

}  // namespace unicoro::app
