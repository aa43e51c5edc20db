// SPDX-License-Identifier: MIT
#include "python/wsgi_host.hpp"

#include "log/log.hpp"
#include "log/open.hpp"
#include "python/app_import.hpp"
#include "python/interpreter.hpp"
#include "python/traceback.hpp"

#include <utility>

namespace unicoro::python {

wsgi_host::~wsgi_host() {
    shut_down();
}

std::optional<app::load_error> wsgi_host::load(app::worker_context& context) {
    const settings::server_settings& values = context.settings;
    interpreter::options chosen;
    chosen.executable = executable_;
    chosen.pythonpath = values.pythonpath;
    chosen.crash_fd = log::descriptor();
    if (auto failure = interpreter::start(chosen)) {
        return app::load_error{app::boot_failure::worker, "Worker failed to boot: " + *failure};
    }
    const gil_lock gil;
    auto application = import_application(values.app);
    if (!application) return std::move(application.error());
    runtime_ = std::make_unique<wsgi_runtime>();
    runtime_->application = std::move(*application);
    runtime_->use_sendfile = values.sendfile;
    if (!runtime_->environs.prepare(values)) {
        const py_ref exception = take_exception();
        return app::load_error{
            app::boot_failure::worker,
            "Worker failed to boot: " + describe_exception(exception.get())};
    }
    turns_.emplace(context.io);
    return std::nullopt;
}

awaitable<std::optional<app::load_error>> wsgi_host::start(app::worker_context&) {
    co_return std::optional<app::load_error>();
}

bool wsgi_host::admit(app::exchange& request) const {
    const http::request_head& head = request.head();
    if (runtime_->environs.path_fits(head)) return true;
    log::error(
        "{} {}: the path does not lie under SCRIPT_NAME '{}'; SCRIPT_NAME comes from the "
        "environment or "
        "from a proxy in forwarded_allow_ips",
        log::escaped(head.method),
        log::escaped(head.target),
        log::escaped(runtime_->environs.script_name_of(head))
    );
    request.fail(500, "");
    return false;
}

void wsgi_host::refuse_body(app::exchange& request, error_code why) {
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

awaitable<void> wsgi_host::handle(app::exchange& request) {
    if (!admit(request)) co_return;
    app::spooled_body body;
    const http::request_head& head = request.head();
    if (head.framing == http::body_framing::chunked || head.content_length > 0) {
        const error_code failed = co_await body.fill(request);
        if (failed) {
            refuse_body(request, failed);
            co_return;
        }
    }
    turnstile::turn turn = turns_->try_enter();
    if (!turn) {
        turnstile::turn granted = co_await turns_->enter();
        if (!granted) co_return;
        turn = std::move(granted);
    }
    wsgi_call call(*runtime_, request);
    wsgi_call::step step = call.begin(std::move(body));
    while (step.what == wsgi_call::action::write) {
        const error_code failed = co_await request.write(step.bytes);
        if (failed) co_return;
        step = call.next();
    }
    // From here on nothing is left in the application: the next request may enter it.
    turn.release();
    // What cannot be sent now is the client's doing, and the connection knows it.
    if (step.what == wsgi_call::action::send) {
        [[maybe_unused]] const error_code sent = co_await request.send(step.bytes);
    } else if (step.what == wsgi_call::action::send_file) {
        const error_code failed = co_await request.write_file(step.fd, step.offset, step.count);
        if (failed) co_return;
        [[maybe_unused]] const error_code ended = co_await request.finish();
    } else if (step.what == wsgi_call::action::finish) {
        [[maybe_unused]] const error_code ended = co_await request.finish();
    }
}

awaitable<void> wsgi_host::stop(app::worker_context&) {
    shut_down();
    co_return;
}

void wsgi_host::shut_down() noexcept {
    if (!interpreter::running()) return;
    {
        const gil_lock gil;
        runtime_.reset();
    }
    interpreter::stop();
}

}  // namespace unicoro::python
