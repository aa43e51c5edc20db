// SPDX-License-Identifier: MIT
// What the connection's coroutine does for a request; the rest is in http_receive.cpp, http_send.cpp.
#include "python/asgi/http_call.hpp"

#include "python/asgi/asgi_application.hpp"
#include "python/runtime/text.hpp"

#include <utility>

namespace unicoro::python {

std::string_view http_call::piece::view() const noexcept {
    return held != nullptr ? view_of(held) : copied;
}

http_call::~http_call() {
    for (const piece& each : pieces_) Py_XDECREF(each.held);
}

py_ref http_call::make_scope() {
    return application_.scopes().http(*request_, application_.state());
}

bool http_call::has_errand() const noexcept {
    if (gone_) return false;
    return !pieces_.empty() || file_ || (ended_ && streamed_ && !finished_);
}

// Nothing of it was written, and nothing more comes: the exchange may know the length.
bool http_call::is_whole() const noexcept {
    return ended_ && !streamed_ && pieces_.size() == 1 && !file_;
}

awaitable<void> http_call::run_errand() {
    error_code failed;
    if (is_whole()) {
        failed = co_await send_whole();
    } else if (!pieces_.empty()) {
        failed = co_await write_next();
    } else if (file_) {
        streamed_ = true;
        failed = co_await request_->write_file(file_.get(), 0, file_size_);
        file_.reset();
    } else {
        finished_ = true;
        failed = co_await request_->finish();
    }
    if (failed) gone_ = true;
}

awaitable<error_code> http_call::send_whole() {
    error_code failed;
    finished_ = writing_ = true;
    piece& only = pieces_.front();
    if (only.held == nullptr) {
        request_->respond(std::move(only.copied));
    } else {
        failed = co_await request_->send(only.view());
    }
    done_with_first();
    co_return failed;
}

awaitable<error_code> http_call::write_next() {
    streamed_ = writing_ = true;
    const error_code failed = co_await request_->write(pieces_.front().view());
    done_with_first();
    co_return failed;
}

void http_call::done_with_first() {
    writing_ = false;
    piece& first = pieces_.front();
    unsent_ -= std::min(unsent_, first.view().size());
    // The GIL is elsewhere, perhaps.
    if (first.held != nullptr) loop_.drop(std::exchange(first.held, nullptr));
    pieces_.pop_front();
    if (pieces_.empty()) unsent_ = 0;
}

void http_call::leaving() {
    if (failed_) request_->fail(500, "");
}

// Who waits in receive() gets http.disconnect.
bool http_call::told_to_end() noexcept {
    told_ = true;
    loop_.note(*this);
    return body_done_ && reading();
}

void http_call::concluded(ending how) {
    if (request_ == nullptr || gone_ || phase_ == phase::complete) return;
    if (told_ && phase_ == phase::body && how != ending::raised) return complete();
    if (how == ending::returned) {
        log_failure(
            phase_ == phase::start ? "the application returned without a response"
                                   : "the application returned before its response was complete"
        );
    }
    phase_ = phase::complete;
    failed_ = true;
    ring();
}

}  // namespace unicoro::python
