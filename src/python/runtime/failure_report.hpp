// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

#include <string>
#include <string_view>

namespace unicoro::python {

/// Logs a failure of the application, one line and below it `what` and the traceback of `exception`, where
/// there are such: by Python's logger gunicorn.error where the application has given that another form or
/// way, else as the server logs. With the GIL; leaves no exception set.
void report_failure(std::string headline, std::string_view what, PyObject* exception);

}  // namespace unicoro::python
