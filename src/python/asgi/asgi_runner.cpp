// SPDX-License-Identifier: MIT
#include "python/asgi/asgi_runner.hpp"

#include "app/websocket.hpp"
#include "log/log.hpp"
#include "python/asgi/http_call.hpp"
#include "python/asgi/websocket_call.hpp"

#include <utility>

namespace unicoro::python {
namespace {

awaitable<void> nothing() {
    co_return;
}

}  // namespace

asgi_runner::asgi_runner(shared_reactor& reactor, app::worker_context& context)
    : context_(context), loop_(reactor), quiet_(context.io) {
    loop_.on_quiet([this] { quiet_.cancel(); });
}

awaitable<std::optional<app::load_error>> asgi_runner::start(asgi_application& application) {
    std::optional<app::load_error> failure;
    const settings::lifespan_mode mode = context_.settings.lifespan;
    if (mode == settings::lifespan_mode::off) co_return failure;
    loop_.call([this, &application, mode] { application.start_lifespan(loop_, mode); });
    [[maybe_unused]] const auto [ec] = co_await application.answered().wait();
    if (application.outcome() == "failed") {
        failure.emplace();
        failure->code = app::boot_failure::worker;
        failure->message = "Worker failed to boot: the application's startup failed\n" + application.text();
    } else if (application.outcome() == "without") {
        log::debug("the ASGI application has no lifespan: {}", application.text());
    }
    co_return failure;
}

awaitable<void> asgi_runner::stop(asgi_application& application) {
    co_await background_work();
    loop_.call([&application] { application.stop_lifespan(); });
    [[maybe_unused]] const auto [ec] = co_await application.answered().wait();
    if (!application.text().empty()) {
        log::error("the application's shutdown failed\n{}", application.text());
    }
}

// What applications still do for requests that were answered, as long as the worker may live.
awaitable<void> asgi_runner::background_work() {
    if (loop_.running() == 0) co_return;
    quiet_.expires_at(context_.end_by);
    [[maybe_unused]] const auto [ec] = co_await quiet_.async_wait(as_tuple);
    if (loop_.running() > 0) {
        log::warning("graceful_timeout: cancelling {} tasks of answered requests", loop_.running());
    }
}

awaitable<void> asgi_runner::handle(asgi_application& application, app::exchange& request) {
    if (request.head().wants_websocket && !app::admit_websocket(request)) return nothing();
    if (!request.try_enter()) return begin_when_let_in(application, request);
    return begin(application, request);
}

awaitable<void> asgi_runner::begin_when_let_in(asgi_application& application, app::exchange& request) {
    const bool entered = co_await request.enter();
    if (entered) co_await begin(application, request);
}

awaitable<void> asgi_runner::begin(asgi_application& application, app::exchange& request) {
    if (request.head().wants_websocket) {
        asgi_call::attendance here(*new websocket_call(loop_, application, request));
        loop_.arrive(here.call());
        return asgi_call::attend(std::move(here));
    }
    asgi_call::attendance here(*new http_call(loop_, application, request));
    loop_.arrive(here.call());
    return asgi_call::attend(std::move(here));
}

}  // namespace unicoro::python
