// SPDX-License-Identifier: MIT
#pragma once

#include "app/spooled_body.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/wsgi/request_io.hpp"

namespace unicoro::python {

/// A `wsgi.input` over a body that is here as a whole: read, read1, readinto, readline, readlines
/// and iteration as io's binary files have them. Takes the body over. With the GIL; nothing, with a
/// Python exception set, when there is no memory or the spooled file cannot be mapped.
[[nodiscard]] py_ref make_input(app::spooled_body body);

/// The same over a body that is still on its way: reads it from `source` as the application asks
/// for it, until `end_input`.
[[nodiscard]] py_ref make_live_input(request_io& source);

/// The request is over: what was not read by now is lost.
void end_input(PyObject* live_input) noexcept;

/// The `wsgi.input` of every request without a body: it is always at its end, so one serves all.
[[nodiscard]] py_ref empty_input();

}  // namespace unicoro::python
