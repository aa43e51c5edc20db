// SPDX-License-Identifier: MIT
#include "python/python_host.hpp"

#include "app/app_spec.hpp"
#include "log/open.hpp"
#include "python/app_import.hpp"
#include "python/eventlet_guest.hpp"
#include "python/gevent_guest.hpp"
#include "python/inline_runner.hpp"
#include "python/interpreter.hpp"
#include "python/thread_runner.hpp"
#include "python/traceback.hpp"

#include <utility>

namespace unicoro::python {
namespace {

app::load_error not_booted(const std::string& why) {
    return {app::boot_failure::worker, "Worker failed to boot: " + why};
}

/// Of the exception that is set.
app::load_error not_booted() {
    return not_booted(describe_exception(take_exception().get()));
}

}  // namespace

python_host::~python_host() {
    shut_down();
}

std::optional<app::load_error> python_host::load(app::worker_context& context) {
    const settings::server_settings& values = context.settings;
    interpreter::options chosen;
    chosen.executable = executable_;
    chosen.pythonpath = values.pythonpath;
    chosen.crash_fd = log::descriptor();
    if (auto failure = interpreter::start(chosen)) return not_booted(*failure);
    const gil_lock gil;
    thread_ = PyThread_get_thread_ident();
    if (auto failure = make_runner(context)) return failure;
    if (values.apps.empty()) return load_application(values.app, 0, values);
    for (std::size_t place = 0; place < values.apps.size(); ++place) {
        const std::string& spec = values.apps[place].second;
        if (app::parse_app_spec(spec).language != app::app_language::python) continue;
        if (auto failure = load_application(spec, place, values)) return failure;
    }
    return std::nullopt;
}

std::optional<app::load_error> python_host::make_runner(app::worker_context& context) {
    const auto chosen = context.settings.worker_class;
    if (chosen == settings::worker_class::async || chosen == settings::worker_class::eventlet) {
        reactor_ = std::make_unique<guest_reactor>(context.io);
    }
    if (chosen == settings::worker_class::eventlet) {
        guest_ = std::make_unique<eventlet_guest>(*reactor_);
    }
    if (chosen == settings::worker_class::async) {
        guest_ = std::make_unique<gevent_guest>(*reactor_);
    }
    const auto threads = static_cast<std::size_t>(context.settings.threads);
    if (chosen == settings::worker_class::gthread) {
        auto pool = std::make_unique<thread_runner>(context.io);
        const bool started = pool->start(threads);
        own_runner_ = std::move(pool);
        runner_ = own_runner_.get();
        if (!started) return not_booted();
        return std::nullopt;
    }
    if (!guest_) {
        own_runner_ = std::make_unique<inline_runner>(context.io);
        runner_ = own_runner_.get();
        return std::nullopt;
    }
    if (guest_->prepare()) {
        runner_ = &guest_->runner();
        return std::nullopt;
    }
    if (PyErr_ExceptionMatches(PyExc_ModuleNotFoundError) == 0) return not_booted();
    const py_ref missing = take_exception();
    return not_booted(
        "this worker class needs the package " + guest_->package() + ", which is not installed for " +
        executable_ + ": " + executable_ + " -m pip install " + guest_->package() +
        ", or choose -k sync or -k gthread"
    );
}

std::optional<app::load_error> python_host::load_application(
    const std::string& spec, std::size_t place, const settings::server_settings& values
) {
    auto application = import_application(spec);
    if (!application) return std::move(application.error());
    auto runtime = std::make_unique<wsgi_runtime>();
    runtime->application = std::move(*application);
    runtime->use_sendfile = values.sendfile;
    if (!runtime->environs.prepare(values, runner_->concurrency())) return not_booted();
    if (applications_.size() <= place) applications_.resize(place + 1);
    applications_[place] = std::move(runtime);
    return std::nullopt;
}

awaitable<std::optional<app::load_error>> python_host::start(app::worker_context&) {
    co_return std::optional<app::load_error>();
}

awaitable<void> python_host::handle(app::exchange& request) {
    return runner_->handle(*applications_[request.mount().application], request);
}

awaitable<void> python_host::stop(app::worker_context&) {
    co_return;
}

void python_host::drive(asio::io_context& io) {
    if (guest_) {
        const gil_lock gil;
        guest_->drive();
    } else {
        io.run();
    }
    shut_down();
}

bool python_host::holds_loop() const noexcept {
    return runner_->concurrency() == environ_builder::calls::one_at_a_time;
}

std::string python_host::stack_of_loop() {
    const PyGILState_STATE entered = PyGILState_Ensure();
    std::string stack = describe_thread(thread_);
    PyGILState_Release(entered);
    return stack;
}

void python_host::shut_down() noexcept {
    if (!interpreter::running()) return;
    {
        const gil_lock gil;
        applications_.clear();
        guest_.reset();
        own_runner_.reset();
    }
    interpreter::stop();
}

}  // namespace unicoro::python
