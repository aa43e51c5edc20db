// SPDX-License-Identifier: MIT
#include "python/host/server_object.hpp"

#include "log/log.hpp"
#include "os/signals.hpp"
#include "python/host/server_logs.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/traceback.hpp"
#include "settings/print.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace unicoro::python {
namespace {

py_ref as_dict(const std::map<std::string, std::string>& hooks) {
    py_ref dict = py_ref::steal(PyDict_New());
    for (const auto& [name, spec] : hooks) {
        const py_ref text = py_ref::steal(PyUnicode_DecodeFSDefault(spec.c_str()));
        if (!dict || !text || PyDict_SetItemString(dict.get(), name.c_str(), text.get()) != 0) return {};
    }
    return dict;
}

py_ref as_list(std::span<const os::listener> sockets) {
    py_ref list = py_ref::steal(PyList_New(0));
    for (const os::listener& each : sockets) {
        const py_ref pair = py_ref::steal(Py_BuildValue("is", each.fd(), each.text().c_str()));
        if (!list || !pair || PyList_Append(list.get(), pair.get()) != 0) return {};
    }
    return list;
}

}  // namespace

bool server_object::make(const settings::server_settings& values, bool checking) {
    const py_ref type = package::find("_unicoro.server", "Server");
    const py_ref hooks = as_dict(values.hooks);
    const py_ref logs = make_server_logs();
    if (!type || !hooks || !logs) return false;
    const std::string settings = settings::print_json(values);
    std::string file = values.run_config_file ? values.config_file.value_or("") : "";
    if (constexpr std::string_view module = "python:"; file.starts_with(module)) {
        file.erase(0, module.size());
    }
    const py_ref place = py_ref::steal(PyUnicode_DecodeFSDefault(file.c_str()));
    if (!place) return false;
    server_ = py_ref::steal(PyObject_CallFunction(
        type.get(),
        "sOOOO",
        settings.c_str(),
        hooks.get(),
        place.get(),
        checking ? Py_True : Py_False,
        logs.get()
    ));
    return static_cast<bool>(server_);
}

void server_object::adopt(const settings::server_settings& values) {
    if (!server_) return;
    const std::string settings = settings::print_json(values);
    const py_ref done = py_ref::steal(PyObject_CallMethod(server_.get(), "adopt", "s", settings.c_str()));
    if (done) return;
    log::error(
        "the settings of Python's logging stay as they are\n{}", describe_exception(take_exception().get())
    );
}

void server_object::listening(std::span<const os::listener> sockets) {
    if (!server_) return;
    const py_ref list = as_list(sockets);
    const py_ref done =
        py_ref::steal(list ? PyObject_CallMethod(server_.get(), "listening", "O", list.get()) : nullptr);
    if (!done) complain("listening");
}

bool server_object::enter_worker(std::uint64_t age, std::span<const os::listener> sockets) {
    const py_ref list = as_list(sockets);
    if (!list) return false;
    const os::signals_let_in application;
    const py_ref done = py_ref::steal(PyObject_CallMethod(
        server_.get(), "in_worker", "KO", static_cast<unsigned long long>(age), list.get()
    ));
    if (interpreter::forked_away()) interpreter::leave_forked();
    return static_cast<bool>(done);
}

void server_object::serving(bool asgi, std::string_view greenlets) {
    const std::string package(greenlets);
    const py_ref done = py_ref::steal(
        PyObject_CallMethod(server_.get(), "serving", "Os", asgi ? Py_True : Py_False, package.c_str())
    );
    if (!done) complain("serving");
}

bool server_object::invoke(const char* method, std::initializer_list<long> numbers) {
    if (!server_) return true;
    const py_ref bound = py_ref::steal(PyObject_GetAttrString(server_.get(), method));
    const py_ref arguments = py_ref::steal(PyTuple_New(static_cast<Py_ssize_t>(numbers.size())));
    if (!bound || !arguments) return false;
    Py_ssize_t place = 0;
    for (const long each : numbers) {
        PyObject* const number = PyLong_FromLong(each);
        if (number == nullptr) return false;
        PyTuple_SET_ITEM(arguments.get(), place++, number);
    }
    const os::signals_let_in application;
    const py_ref done = py_ref::steal(PyObject_CallObject(bound.get(), arguments.get()));
    if (interpreter::forked_away()) interpreter::leave_forked();
    return static_cast<bool>(done);
}

bool server_object::fire(const char* hook) {
    if (!server_) return true;
    const os::signals_let_in application;
    const py_ref done = py_ref::steal(PyObject_CallMethod(server_.get(), "fire", "sO", hook, server_.get()));
    if (interpreter::forked_away()) interpreter::leave_forked();
    return static_cast<bool>(done);
}

void server_object::announce(const char* hook) {
    if (!fire(hook)) complain(hook);
}

py_ref server_object::around(py_ref application, const char* interface) {
    const py_ref told = py_ref::steal(PyObject_CallMethod(server_.get(), "loaded", "O", application.get()));
    if (!told) return {};
    return py_ref::steal(PyObject_CallMethod(server_.get(), "around", "Os", application.get(), interface));
}

void server_object::forget() noexcept {
    forget_server_logs();
    server_ = {};
}

void server_object::complain(const char* what) {
    constexpr std::array<std::pair<std::string_view, const char*>, 5> hooks_of_methods{{
        {"before_fork", "pre_fork"},
        {"worker_ended", "child_exit"},
        {"workers_changed", "nworkers_changed"},
        {"interrupted", "worker_int"},
        {"ending", "worker_exit"},
    }};
    for (const auto& [method, hook] : hooks_of_methods) {
        if (method == what) what = hook;
    }
    log::error("a server hook failed ({})\n{}", what, describe_exception(take_exception().get()));
}

}  // namespace unicoro::python
