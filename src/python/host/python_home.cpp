// SPDX-License-Identifier: MIT
#include "python/host/python_home.hpp"

#include "app/app_spec.hpp"
#include "app/make_host.hpp"
#include "log/log.hpp"
#include "log/open.hpp"
#include "os/signals.hpp"
#include "python/gevent/gevent_loop.hpp"
#include "python/runtime/gil.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/traceback.hpp"

#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace unicoro::python {
namespace {

bool looks_like_asgi(const std::string& spec) {
    const py_ref text = py_ref::steal(PyUnicode_DecodeFSDefault(spec.c_str()));
    py_ref answer;
    if (text) answer = package::call("_unicoro.source_guess", "looks_like_asgi", {text.get()});
    PyErr_Clear();
    return answer.get() == Py_True;
}

/// The variables of the process, which the master and a worker change, as they are.
py_ref process_environment() {
    py_ref variables = py_ref::steal(PyDict_New());
    for (char** each = environ; variables && each != nullptr && *each != nullptr; ++each) {
        const std::string_view text(*each);
        const std::size_t equals = text.find('=', 1);
        if (equals == std::string_view::npos) continue;
        const py_ref name = py_ref::steal(PyBytes_FromStringAndSize(*each, static_cast<Py_ssize_t>(equals)));
        const py_ref value = py_ref::steal(PyBytes_FromString(*each + equals + 1));
        // Of two with one name the first counts.
        if (!name || !value || PyDict_SetDefault(variables.get(), name.get(), value.get()) == nullptr)
            return {};
    }
    return variables;
}

py_ref as_paths(const std::vector<std::string>& folders) {
    py_ref list = py_ref::steal(PyList_New(0));
    for (const std::string& each : folders) {
        const py_ref entry = py_ref::steal(PyUnicode_DecodeFSDefault(each.c_str()));
        if (!list || !entry || PyList_Append(list.get(), entry.get()) != 0) return {};
    }
    return list;
}

/// The interpreter is older than these settings, and so is what it knows of the environment.
bool adopt(const settings::server_settings& values) {
    const py_ref variables = process_environment();
    const py_ref folders = as_paths(values.pythonpath);
    return variables && folders &&
           package::call("_unicoro.startup", "adopt", {variables.get(), folders.get()});
}

/// Makes the standard library cooperative, where a worker of these settings would. That the package
/// is missing is for the worker to tell.
bool patch(const settings::server_settings& values) {
    bool done = true;
    if (values.worker_class == settings::worker_class::async && !only_asgi(values) &&
        values.interface != settings::app_interface::asgi) {
        done = gevent_loop::choose() != gevent_loop::choice::failed &&
               package::call("_unicoro.hubs", "patch_gevent");
    } else if (values.worker_class == settings::worker_class::eventlet) {
        done = static_cast<bool>(package::call("_unicoro.hubs", "patch_eventlet"));
    }
    if (done) return true;
    if (PyErr_ExceptionMatches(PyExc_ModuleNotFoundError) == 0) return false;
    PyErr_Clear();
    return true;
}

}  // namespace

bool tell_stacks() {
    const py_ref log = py_ref::steal(PyLong_FromLong(log::descriptor()));
    return log && package::call("_unicoro.stacks", "tell_stacks", {log.get()});
}

bool tell_stacks_when_asked() {
    const py_ref log = py_ref::steal(PyLong_FromLong(log::descriptor()));
    return log && package::call("_unicoro.stacks", "tell_stacks_when_asked", {log.get()});
}

app::load_error not_booted(const std::string& why) {
    return {app::boot_failure::worker, "Worker failed to boot: " + why};
}

app::load_error not_booted() {
    return not_booted(describe_exception(take_exception().get()));
}

bool only_asgi(const settings::server_settings& values) {
    if (values.worker_class != settings::worker_class::async) return false;
    if (values.interface != settings::app_interface::auto_detect) return false;
    if (values.apps.empty()) return looks_like_asgi(values.app);
    return std::all_of(values.apps.begin(), values.apps.end(), [](const auto& each) {
        return app::parse_app_spec(each.second).language != app::app_language::python ||
               looks_like_asgi(each.second);
    });
}

std::optional<app::load_error> python_home::open(const settings::server_settings& values, use where) {
    const gil_lock gil;
    if (!adopt(values)) return not_booted();
    if (where == use::master && !app::calls_python_in_master(values)) return std::nullopt;
    if (!server_.is_made() && !server_.make(values, where == use::checking)) return not_booted();
    return std::nullopt;
}

std::optional<app::load_error> python_home::share(const settings::server_settings& values) {
    const char* kind = "";
    if (values.interface == settings::app_interface::asgi || only_asgi(values)) {
        kind = "asyncio";
    } else if (values.worker_class == settings::worker_class::eventlet) {
        kind = "eventlet";
    } else if (values.worker_class == settings::worker_class::async) {
        kind = "gevent";
        if (gevent_loop::choose() == gevent_loop::choice::failed) {
            // That the package is missing is for the worker to tell.
            if (PyErr_ExceptionMatches(PyExc_ModuleNotFoundError) == 0) return not_booted();
            PyErr_Clear();
            kind = "";
        }
    }
    const py_ref name = py_ref::steal(PyUnicode_FromString(kind));
    if (!name || !package::call("_unicoro.startup", "share", {name.get()})) return not_booted();
    return std::nullopt;
}

std::optional<app::load_error> python_home::preload(const settings::server_settings& values) {
    if (!patch(values)) return not_booted();
    const auto keep = [&](const std::string& spec, std::size_t place) -> std::optional<app::load_error> {
        const os::signals_let_in application;
        auto imported = import_application(spec, values.interface);
        if (!imported) return imported.error();
        if (preloaded_.size() <= place) preloaded_.resize(place + 1);
        preloaded_[place] = std::move(*imported);
        return std::nullopt;
    };
    if (values.apps.empty()) {
        if (auto failure = keep(values.app, 0)) return failure;
    }
    for (std::size_t place = 0; place < values.apps.size(); ++place) {
        const std::string& spec = values.apps[place].second;
        if (app::parse_app_spec(spec).language != app::app_language::python) continue;
        if (auto failure = keep(spec, place)) return failure;
    }
    const py_ref left = package::call("_unicoro.development", "preloaded");
    if (!left) return not_booted();
    if (const std::string text = to_utf8(left.get()); !text.empty()) {
        log::warning(
            "preload_app: the application started {} while it was imported, which no worker has: "
            "start such in the hook post_fork or at the first request",
            text
        );
    }
    return std::nullopt;
}

boost::system::result<imported_application, app::load_error> python_home::application(
    const std::string& spec, std::size_t place, settings::app_interface said
) {
    const bool is_there = place < preloaded_.size() && preloaded_[place];
    auto found =
        is_there ? boost::system::result<imported_application, app::load_error>(std::move(*preloaded_[place]))
                 : import_application(spec, said);
    if (!found) return found;
    const char* const interface = found->interface == interface_kind::asgi ? "ASGI" : "WSGI";
    found->callable = server_.around(std::move(found->callable), interface);
    if (!found->callable) return not_booted();
    return found;
}

void python_home::forget() noexcept {
    preloaded_.clear();
    server_.forget();
}

}  // namespace unicoro::python
