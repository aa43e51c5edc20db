// SPDX-License-Identifier: MIT
#include "python/runtime/traceback.hpp"

#include "python/runtime/package.hpp"
#include "python/runtime/text.hpp"

#include <utility>

namespace unicoro::python {
namespace {

constexpr int longest_chain = 32;

}  // namespace

py_ref take_exception() noexcept {
#if PY_VERSION_HEX >= 0x030C0000
    return py_ref::steal(PyErr_GetRaisedException());
#else
    PyObject* type = nullptr;
    PyObject* value = nullptr;
    PyObject* traceback = nullptr;
    PyErr_Fetch(&type, &value, &traceback);
    if (type == nullptr) return {};
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != nullptr) PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return py_ref::steal(value);
#endif
}

std::string describe_exception(PyObject* exception) {
    if (exception == nullptr) return "an unknown error";
    const py_ref text = package::call("_unicoro.stacks", "describe", {exception});
    if (!text) {
        // An exception whose own __str__ fails, or no memory.
        PyErr_Clear();
        return std::string(Py_TYPE(exception)->tp_name) + " (its traceback could not be printed)";
    }
    return to_utf8(text.get());
}

bool stems_from(PyObject* exception, PyObject* type) noexcept {
    py_ref each = py_ref::borrow(exception);
    for (int depth = 0; each && depth < longest_chain; ++depth) {
        if (PyErr_GivenExceptionMatches(each.get(), type) != 0) return true;
        py_ref cause = py_ref::steal(PyException_GetCause(each.get()));
        if (!cause) cause = py_ref::steal(PyException_GetContext(each.get()));
        each = std::move(cause);
    }
    return false;
}

std::string describe_stack(PyObject* frame) {
    const py_ref text = package::call("_unicoro.stacks", "stack", {frame});
    PyErr_Clear();
    return to_utf8(text.get());
}

std::string describe_thread(unsigned long thread) {
    const py_ref number = py_ref::steal(PyLong_FromUnsignedLong(thread));
    py_ref text;
    if (number) text = package::call("_unicoro.stacks", "thread_stack", {number.get()});
    PyErr_Clear();
    return to_utf8(text.get());
}

std::string to_utf8(PyObject* text) {
    if (text == nullptr || !PyUnicode_Check(text)) return {};
    const py_ref bytes = py_ref::steal(PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace"));
    if (!bytes) {
        PyErr_Clear();
        return {};
    }
    return std::string(view_of(bytes.get()));
}

}  // namespace unicoro::python
