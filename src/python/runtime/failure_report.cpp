// SPDX-License-Identifier: MIT
#include "python/runtime/failure_report.hpp"

#include "log/log.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/text.hpp"
#include "python/runtime/traceback.hpp"

#include <string>
#include <string_view>

namespace unicoro::python {

void report_failure(std::string headline, std::string_view what, PyObject* exception) {
    if (!what.empty()) headline.append("\n").append(what);
    const py_ref report = interpreter::bootstrap("report");
    const py_ref text = utf8(headline);
    PyObject* const error = exception != nullptr ? exception : Py_None;
    py_ref taken;
    if (report && text) {
        taken = py_ref::steal(PyObject_CallFunctionObjArgs(report.get(), text.get(), error, nullptr));
    }
    PyErr_Clear();
    if (taken.get() == Py_True) return;
    if (exception != nullptr) headline += "\n" + describe_exception(exception);
    log::write(log::level::error, headline);
}

}  // namespace unicoro::python
