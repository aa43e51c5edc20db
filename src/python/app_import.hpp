// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "python/py_ref.hpp"

#include <boost/system/result.hpp>

#include <string>

namespace unicoro::python {

/// Imports what `spec` names: `module`, `module:attribute` (dots allowed), `module:factory()` with
/// literal arguments. boot_failure::application when the spec leads to no WSGI application,
/// boot_failure::worker with the traceback when the application's own code failed. With the GIL.
[[nodiscard]] boost::system::result<py_ref, app::load_error> import_application(
    const std::string& spec
);

}  // namespace unicoro::python
