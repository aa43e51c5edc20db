// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

namespace unicoro::python {

/// The `wsgi.errors` of a worker: text goes to where the error log goes, as it is and in whole
/// lines, so lines of several workers do not mix. `flush` writes a line that is not ended. With the
/// GIL.
[[nodiscard]] py_ref make_error_stream();

}  // namespace unicoro::python
