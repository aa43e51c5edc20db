// SPDX-License-Identifier: MIT
#pragma once

#include "python/py_ref.hpp"

#include <string>
#include <string_view>

namespace unicoro::python {

/// What the server's logs are to hooks.py: the functions (write_error, error_fd, write_access, access_fd,
/// switch). `switch` takes what is called with the parts of each access record from then on, or None. With
/// the GIL; nothing with an exception set.
[[nodiscard]] py_ref make_server_logs();

/// The process has no use of Python any more: records go where they went. With the GIL.
void forget_server_logs() noexcept;

/// Logs a failure of the application, one line and below it `what` and the traceback of `exception`, where
/// there are such: by Python's logger gunicorn.error where the application has given that another form or
/// way, else as the server logs. With the GIL; leaves no exception set.
void report_failure(std::string headline, std::string_view what, PyObject* exception);

}  // namespace unicoro::python
