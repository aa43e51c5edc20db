// SPDX-License-Identifier: MIT
#include "app/body_refusal.hpp"

#include "log/log.hpp"

namespace unicoro::app {

bool blame_client(exchange& request, error_code why) {
    if (why == errc::body_too_large) {
        request.fail(413, why.message());
    } else if (why == errc::malformed_body || why == errc::incomplete_body) {
        request.fail(400, why.message());
    } else if (why == errc::deadline_passed) {
        request.fail(408, "The request body did not arrive within body_timeout");
    } else {
        return false;
    }
    return true;
}

void refuse_body(exchange& request, error_code why) {
    if (blame_client(request, why)) return;
    if (why.category() != unicoro_category()) {
        log::error("cannot keep a request body in a temporary file: {}", why.message());
    }
    request.fail(500, "");
}

}  // namespace unicoro::app
