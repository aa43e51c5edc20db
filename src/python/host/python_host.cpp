// SPDX-License-Identifier: MIT
#include "python/host/python_host.hpp"

#include "aio/watched_duplicate.hpp"
#include "app/app_spec.hpp"
#include "log/log.hpp"
#include "log/open.hpp"
#include "os/descriptors.hpp"
#include "os/signals.hpp"
#include "python/host/code_look.hpp"
#include "python/loop/held_loop.hpp"
#include "python/runtime/forked_child.hpp"
#include "python/runtime/gil.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/traceback.hpp"
#include "python/wsgi/greenlets/eventlet_driver.hpp"
#include "python/wsgi/greenlets/gevent_driver.hpp"
#include "python/wsgi/inline_runner.hpp"
#include "python/wsgi/threads/thread_runner.hpp"

#include <algorithm>
#include <utility>

namespace unicoro::python {
namespace {

/// Every line is printed from here on (the setting `spew`); with an application, that application as
/// it must be called then. Nothing with an exception set.
py_ref spew(PyObject* application) {
    if (application == nullptr) return package::call("_unicoro.development", "spew");
    return package::call("_unicoro.development", "spew", {application});
}

}  // namespace

python_host::~python_host() {
    shut_down();
}

std::optional<app::load_error> python_host::load(app::worker_context& context) {
    const settings::server_settings& values = context.settings;
    const auto use = context.age == 0 ? python_home::use::checking : python_home::use::worker;
    if (auto failure = home_->open(values, use)) return failure;
    const gil_lock gil;
    if (!tell_stacks()) return not_booted();
    if (use == python_home::use::worker && !tell_stacks_when_asked()) return not_booted();
    thread_ = PyThread_get_thread_ident();
    os::keep_write_signals();
    extra_files_ = values.reload_extra_files;
    heartbeat_ = context.heartbeat;
    server_object& server = home_->server();
    server_told_ = context.age > 0;
    // Two edits within a second that leave the size as it is would look like one to what checks it.
    if (values.reload) PySys_SetObject("dont_write_bytecode", Py_True);
    // Before the hooks: what those start belongs on the loop that stays.
    if (auto failure = make_runners(context)) return failure;
    if (server_told_ && !server.enter_worker(context.age, context.listeners)) return not_booted();
    if (values.spew && !spew(nullptr)) return not_booted();
    if (auto failure = load_all(context)) return failure;
    if (!settle_python_forks() || !package::call("_unicoro.startup", "loaded")) return not_booted();
    // From here on calls of the application are traced, not what the server does between them.
    if (values.spew) PyEval_SetTrace(nullptr, nullptr);
    if (server_told_ && !server.call("booted")) return not_booted();
    // Last: what the application has set for threads that begin (threading.settrace) is for these.
    if (runner_ != nullptr && !runner_->start()) return not_booted();
    if (server_told_) serve_logs();
    return std::nullopt;
}

std::optional<app::load_error> python_host::make_runners(app::worker_context& context) {
    const settings::server_settings& values = context.settings;
    if (values.interface == settings::app_interface::asgi || only_asgi(values)) {
        return make_asgi_runner(context);
    }
    return make_runner(context);
}

std::optional<app::load_error> python_host::load_all(app::worker_context& context) {
    const settings::server_settings& values = context.settings;
    if (values.apps.empty()) return load_application(values.app, 0, context);
    for (std::size_t place = 0; place < values.apps.size(); ++place) {
        const std::string& spec = values.apps[place].second;
        if (app::parse_app_spec(spec).language != app::app_language::python) continue;
        if (auto failure = load_application(spec, place, context)) return failure;
    }
    return std::nullopt;
}

std::optional<app::load_error> python_host::make_runner(app::worker_context& context) {
    const auto chosen = context.settings.worker_class;
    if (chosen == settings::worker_class::async || chosen == settings::worker_class::eventlet) {
        reactor_ = std::make_unique<shared_reactor>(context.io);
    }
    if (chosen == settings::worker_class::eventlet) {
        driver_ = std::make_unique<eventlet_driver>(*reactor_);
    }
    if (chosen == settings::worker_class::async) {
        driver_ = std::make_unique<gevent_driver>(*reactor_);
    }
    if (!driver_) {
        if (chosen == settings::worker_class::gthread) {
            const auto threads = static_cast<std::size_t>(context.settings.threads);
            const bool measures_cpu = context.settings.slow_request_log.count() > 0;
            own_runner_ = std::make_unique<thread_runner>(context.io, threads, measures_cpu);
        } else {
            own_runner_ = std::make_unique<inline_runner>(context.io, context.heartbeat);
        }
        runner_ = own_runner_.get();
        return std::nullopt;
    }
    if (driver_->prepare()) {
        runner_ = &driver_->runner();
        return std::nullopt;
    }
    if (PyErr_ExceptionMatches(PyExc_ModuleNotFoundError) == 0) return not_booted();
    const py_ref missing = take_exception();
    no_runner_ = not_booted(
        "this worker class needs the package " + driver_->package() + ", which is not installed for " +
        home_->executable() + ": " + home_->executable() + " -m pip install " + driver_->package() +
        ", or choose -k sync or -k gthread"
    );
    driver_.reset();
    // An ASGI application does not need it.
    if (context.settings.interface == settings::app_interface::auto_detect) return std::nullopt;
    return no_runner_;
}

std::optional<app::load_error> python_host::make_asgi_runner(app::worker_context& context) {
    if (asgi_) return std::nullopt;
    if ((driver_ && driver_->hub() == nullptr) ||
        context.settings.worker_class == settings::worker_class::gthread) {
        return app::load_error{
            app::boot_failure::application,
            "App failed to load: an ASGI application runs neither on threads nor beside eventlet: "
            "choose -k async or -k sync, without --threads"
        };
    }
    if (!reactor_) reactor_ = std::make_unique<shared_reactor>(context.io);
    asgi_ = std::make_unique<asgi_runner>(*reactor_, context);
    if (driver_) {
        beside_ = std::make_unique<asgi_greenlet>(*reactor_, *asgi_);
        if (!beside_->prepare(driver_->hub())) return not_booted();
        driver_->also([this] { beside_->turn(); }, [this] { beside_->end(); });
    }
    if (!asgi_->prepare()) return not_booted();
    return std::nullopt;
}

std::optional<app::load_error> python_host::load_application(
    const std::string& spec, std::size_t place, app::worker_context& context
) {
    const settings::server_settings& values = context.settings;
    auto imported = home_->application(spec, place, values.interface);
    if (!imported) return imported.error();
    if (values.spew) {
        imported->callable = spew(imported->callable.get());
        if (!imported->callable) return not_booted();
    }
    application made;
    if (imported->interface == interface_kind::asgi) {
        if (auto failure = make_asgi_runner(context)) return failure;
        made.asgi = std::make_unique<asgi_application>(context.io, std::move(imported->callable));
        if (!made.asgi->prepare(values)) return not_booted();
    } else if (runner_ == nullptr) {
        if (no_runner_) return no_runner_;
        return app::load_error{
            app::boot_failure::application,
            "App failed to load: '" + spec +
                "' is a WSGI application, but its source looked like an ASGI one; say --interface wsgi"
        };
    } else {
        made.wsgi = std::make_unique<wsgi_runtime>();
        made.wsgi->application = std::move(imported->callable);
        made.wsgi->use_sendfile = values.sendfile;
        if (!made.wsgi->environs.prepare(values, runner_->concurrency())) return not_booted();
    }
    if (applications_.size() <= place) applications_.resize(place + 1);
    applications_[place] = std::move(made);
    return std::nullopt;
}

std::string_view python_host::interface_name() const noexcept {
    return asgi_ ? "ASGI" : "WSGI";
}

bool python_host::serves_wsgi() const noexcept {
    return std::any_of(applications_.begin(), applications_.end(), [](const application& each) {
        return each.wsgi != nullptr;
    });
}

bool python_host::accepts_websockets() const noexcept {
    return asgi_ && !serves_wsgi();
}

void python_host::serve_logs() {
    home_->server().serving(asgi_ && !serves_wsgi(), driver_ ? driver_->package() : "");
}

void python_host::logs_reopened() {
    const gil_lock gil;
    home_->server().tell("logs_reopened");
}

awaitable<std::optional<app::load_error>> python_host::start(app::worker_context& context) {
    std::optional<app::load_error> failure;
    for (application& each : applications_) {
        if (!each.asgi) continue;
        std::optional<app::load_error> failed = co_await asgi_->start(*each.asgi);
        if (failed) {
            failure = std::move(failed);
            break;
        }
    }
    if (!failure) failure = watch_end(context);
    if (!failure && asgi_ && server_told_) {
        // What its lifespan did to the loggers counts, too.
        const gil_lock gil;
        serve_logs();
    }
    co_return failure;
}

std::optional<app::load_error> python_host::watch_end(app::worker_context& context) {
    const gil_lock gil;
    const std::optional<int> aborted = held_loop::watch(context.settings.graceful_timeout);
    if (!aborted) return not_booted();
    context.tasks->spawn("end by SIGABRT", end_when_aborted(context, *aborted));
    return std::nullopt;
}

awaitable<void> python_host::end_when_aborted(app::worker_context& context, int aborted) {
    aio::watched_duplicate event(context.io);
    if (const error_code failed = event.open(aborted)) {
        log::error("cannot watch for SIGABRT: {}", failed.message());
        co_return;
    }
    while (held_loop::ends() != held_loop::ending::aborted) {
        const auto [ec] = co_await event->async_wait(asio::posix::descriptor_base::wait_read, as_tuple);
        if (ec) co_return;
        [[maybe_unused]] const bool rung = os::clear_event(aborted);
    }
    {
        const gil_lock gil;
        held_loop::settle();
    }
    context.given_up();
}

awaitable<void> python_host::handle(app::exchange& request) {
    application& chosen = applications_[request.where().application];
    if (chosen.asgi) return asgi_->handle(*chosen.asgi, request);
    return runner_->handle(*chosen.wsgi, request);
}

awaitable<void> python_host::stop(app::worker_context&) {
    for (auto each = applications_.rbegin(); each != applications_.rend(); ++each) {
        if (each->asgi) co_await asgi_->stop(*each->asgi);
    }
}

void python_host::drive(asio::io_context& io) {
    if (driver_) {
        const gil_lock gil;
        driver_->drive();
    } else if (asgi_) {
        const gil_lock gil;
        if (serves_wsgi()) asgi_->loop().share_thread();
        asgi_->drive();
    } else {
        io.run();
    }
    shut_down();
}

bool python_host::holds_loop() const noexcept {
    return runner_ != nullptr && !asgi_ && runner_->concurrency() == environ_builder::calls::one_at_a_time;
}

std::size_t python_host::places() const noexcept {
    return runner_ != nullptr && !asgi_ ? runner_->places() : 0;
}

std::string python_host::stack_of_loop() {
    const gil_visit here;
    return describe_thread(thread_);
}

std::chrono::nanoseconds python_host::waited_for_interpreter() const noexcept {
    return gil_parking::waited();
}

std::vector<app::code_seen> python_host::look_at_code(const app::gather_places& gather) {
    return python::look_at_code(thread_, gather);
}

void python_host::interrupted() {
    const gil_lock gil;
    if (server_told_) home_->server().tell("interrupted");
}

void python_host::cancelling() {
    if (runner_ != nullptr) runner_->cancel_all();
}

std::vector<std::string> python_host::code_files() {
    std::vector<std::string> files;
    if (!interpreter::running()) return files;
    const gil_lock gil;
    const py_ref list = py_ref::steal(PyList_New(0));
    for (const std::string& each : extra_files_) {
        const py_ref pattern = py_ref::steal(PyUnicode_DecodeFSDefault(each.c_str()));
        if (pattern && list) PyList_Append(list.get(), pattern.get());
    }
    py_ref found;
    if (list) found = package::call("_unicoro.development", "code_files", {list.get()});
    for (Py_ssize_t at = 0; found && at < PyList_GET_SIZE(found.get()); ++at) {
        const py_ref path = py_ref::steal(PyUnicode_EncodeFSDefault(PyList_GET_ITEM(found.get(), at)));
        if (path) files.emplace_back(PyBytes_AS_STRING(path.get()));
    }
    if (PyErr_Occurred() != nullptr) {
        log::warning("reload: {}", describe_exception(take_exception().get()));
    }
    return files;
}

void python_host::shut_down() noexcept {
    if (!interpreter::running()) return;
    bool threads_inside = false;
    {
        const gil_lock gil;
        threads_inside = runner_ != nullptr && !runner_->stop(heartbeat_);
        if (server_told_) home_->server().tell("ending");
        if (!threads_inside) home_->forget();
        let_go(threads_inside);
    }
    if (threads_inside) {
        log::warning("threads are still in the application: the worker ends without them");
        interpreter::leave_beside_threads();
    } else {
        interpreter::leave();
    }
}

// What code of the application may go on in while Python ends is never freed: applications that a thread or
// a greenlet is in, the pool of such threads, and the server's side of the hub, which is needed once more
// where atexit functions wait.
void python_host::let_go(bool threads_inside) noexcept {
    [[maybe_unused]] loop_driver* const driver = driver_.release();
    if (threads_inside) [[maybe_unused]]
        auto* const pool = own_runner_.release();
    if (threads_inside || (driver != nullptr && !driver->idle())) [[maybe_unused]]
        auto* const inside = new auto(std::move(applications_));
    applications_.clear();
    beside_.reset();
    asgi_.reset();
    own_runner_.reset();
}

}  // namespace unicoro::python
