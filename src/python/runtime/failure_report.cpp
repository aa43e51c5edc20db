// SPDX-License-Identifier: MIT
#include "python/runtime/failure_report.hpp"

#include "log/log.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/text.hpp"
#include "python/runtime/traceback.hpp"

#include <string>
#include <string_view>

namespace unicoro::python {

void report_failure(std::string headline, std::string_view what, PyObject* exception) {
    if (!what.empty()) headline.append("\n").append(what);
    const py_ref text = utf8(headline);
    PyObject* const error = exception != nullptr ? exception : Py_None;
    py_ref taken;
    if (text) taken = package::call("_unicoro.access_route", "report", {text.get(), error});
    PyErr_Clear();
    if (taken.get() == Py_True) return;
    if (exception != nullptr) headline += "\n" + describe_exception(exception);
    log::write(log::level::error, headline);
}

}  // namespace unicoro::python
