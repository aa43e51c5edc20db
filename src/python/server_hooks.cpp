// SPDX-License-Identifier: MIT
#include "python/server_hooks.hpp"

#include "log/log.hpp"
#include "os/signals.hpp"
#include "python/interpreter.hpp"
#include "python/traceback.hpp"
#include "settings/print.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace unicoro::python {
namespace {

log::level level_of(int number) noexcept {
    if (number >= 50) return log::level::critical;
    if (number >= 40) return log::level::error;
    if (number >= 30) return log::level::warning;
    return number >= 20 ? log::level::info : log::level::debug;
}

/// write_log(level, text), with the levels of the module logging.
PyObject* write_log(PyObject*, PyObject* arguments) {
    int level = 0;
    PyObject* text = nullptr;
    if (PyArg_ParseTuple(arguments, "iU", &level, &text) == 0) return nullptr;
    log::write(level_of(level), to_utf8(text));
    Py_RETURN_NONE;
}

PyMethodDef write_log_method{"write_log", &write_log, METH_VARARGS, "Writes to the error log."};

py_ref as_dict(const std::map<std::string, std::string>& hooks) {
    py_ref dict = py_ref::steal(PyDict_New());
    for (const auto& [name, spec] : hooks) {
        const py_ref text = py_ref::steal(PyUnicode_DecodeFSDefault(spec.c_str()));
        if (!dict || !text || PyDict_SetItemString(dict.get(), name.c_str(), text.get()) != 0) return {};
    }
    return dict;
}

}  // namespace

bool server_hooks::load(const settings::server_settings& values) {
    if (values.hooks.empty()) return true;
    const py_ref type = interpreter::bootstrap("Server");
    const py_ref hooks = as_dict(values.hooks);
    const py_ref write = py_ref::steal(PyCFunction_New(&write_log_method, nullptr));
    if (!type || !hooks || !write) return false;
    const std::string settings = settings::print_json(values);
    server_ = py_ref::steal(
        PyObject_CallFunction(type.get(), "sOO", settings.c_str(), hooks.get(), write.get())
    );
    return static_cast<bool>(server_);
}

bool server_hooks::invoke(const char* method, std::initializer_list<long> numbers) {
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

bool server_hooks::fire(const char* hook) {
    if (!server_) return true;
    const os::signals_let_in application;
    const py_ref done =
        py_ref::steal(PyObject_CallMethod(server_.get(), "fire", "sO", hook, server_.get()));
    if (interpreter::forked_away()) interpreter::leave_forked();
    return static_cast<bool>(done);
}

void server_hooks::announce(const char* hook) {
    if (!fire(hook)) complain(hook);
}

py_ref server_hooks::around(py_ref application, const char* interface) {
    if (!server_) return application;
    return py_ref::steal(
        PyObject_CallMethod(server_.get(), "around", "Os", application.get(), interface)
    );
}

void server_hooks::complain(const char* what) {
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
