// SPDX-License-Identifier: MIT
#include "python/host/server_logs.hpp"

#include "log/access.hpp"
#include "log/log.hpp"
#include "log/open.hpp"
#include "python/runtime/gil.hpp"
#include "python/runtime/no_collection.hpp"
#include "python/runtime/text.hpp"
#include "python/runtime/traceback.hpp"

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace unicoro::python {
namespace {

/// Called with each access record; one per process, like the interpreter.
PyObject* taker = nullptr;

PyObject* write_text(PyObject* text, void (*write)(std::string_view) noexcept) {
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "a log takes str, not %.100s", Py_TYPE(text)->tp_name);
        return nullptr;
    }
    const std::string lines = to_utf8(text);
    // A pipe whose reader is slow holds up its writer, and not the other threads.
    Py_BEGIN_ALLOW_THREADS write(lines);
    Py_END_ALLOW_THREADS return PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

PyObject* write_error(PyObject*, PyObject* text) {
    return write_text(text, &log::write_ready);
}
PyObject* write_access(PyObject*, PyObject* text) {
    return write_text(text, &log::write_ready_access);
}
PyObject* error_fd(PyObject*, PyObject*) {
    return PyLong_FromLong(log::descriptor());
}
PyObject* access_fd(PyObject*, PyObject*) {
    return PyLong_FromLong(log::access_descriptor());
}

py_ref pairs_of(std::span<const log::field_view> fields) {
    py_ref list = py_ref::steal(PyList_New(0));
    for (const auto& [name, value] : fields) {
        const py_ref key = latin1(name);
        const py_ref text = latin1(value);
        const py_ref pair = py_ref::steal(key && text ? PyTuple_Pack(2, key.get(), text.get()) : nullptr);
        if (!list || !pair || PyList_Append(list.get(), pair.get()) != 0) return {};
    }
    return list;
}

bool hand_over(PyObject* callable, const log::access_record& record, std::string_view line) {
    using namespace std::chrono;
    std::optional<no_collection> whole(std::in_place);
    const py_ref shown = py_ref::steal(
        PyUnicode_DecodeUTF8(line.data(), static_cast<Py_ssize_t>(line.size()), "backslashreplace")
    );
    const std::array<py_ref, 12> parts{
        latin1(record.remote_address),
        latin1(record.method),
        latin1(record.target),
        latin1(record.path),
        latin1(record.query),
        latin1(record.protocol),
        py_ref::steal(PyLong_FromLong(record.status)),
        py_ref::steal(PyLong_FromUnsignedLongLong(record.body_bytes)),
        py_ref::steal(PyLong_FromLongLong(duration_cast<microseconds>(record.duration).count())),
        pairs_of(record.request_fields),
        pairs_of(record.response_fields),
        pairs_of(record.environ_fields)
    };
    std::array<PyObject*, 1 + parts.size()> arguments{shown.get()};
    for (std::size_t at = 0; at < parts.size(); ++at) arguments[at + 1] = parts[at].get();
    for (const PyObject* const each : arguments) {
        if (each == nullptr) return false;
    }
    whole.reset();
    return static_cast<bool>(
        py_ref::steal(PyObject_Vectorcall(callable, arguments.data(), arguments.size(), nullptr))
    );
}

bool relay(const log::access_record& record, std::string_view line) {
    const gil_lock gil;
    // Meanwhile another one may be set.
    const py_ref callable = py_ref::borrow(taker);
    if (!callable) return false;
    if (hand_over(callable.get(), record, line)) return true;
    log::error("an access line could not be passed on\n{}", describe_exception(take_exception().get()));
    return false;
}

PyObject* set_taker(PyObject*, PyObject* callable) {
    Py_XSETREF(taker, callable == Py_None ? nullptr : Py_NewRef(callable));
    log::relay_access(taker != nullptr ? &relay : nullptr);
    Py_RETURN_NONE;
}

std::array methods{
    PyMethodDef{"write_error", &write_error, METH_O, "Writes lines to the error log."},
    PyMethodDef{"error_fd", &error_fd, METH_NOARGS, "The descriptor of the error log."},
    PyMethodDef{"write_access", &write_access, METH_O, "Writes lines to the access log."},
    PyMethodDef{"access_fd", &access_fd, METH_NOARGS, "The descriptor of the access log, or -1."},
    PyMethodDef{"switch", &set_taker, METH_O, "Sets what takes access records."},
};

}  // namespace

py_ref make_server_logs() {
    py_ref made = py_ref::steal(PyTuple_New(methods.size()));
    Py_ssize_t place = 0;
    for (PyMethodDef& each : methods) {
        PyObject* const function = made ? PyCFunction_New(&each, nullptr) : nullptr;
        if (function == nullptr) return {};
        PyTuple_SET_ITEM(made.get(), place++, function);
    }
    return made;
}

void forget_server_logs() noexcept {
    log::relay_access(nullptr);
    Py_CLEAR(taker);
}

}  // namespace unicoro::python
