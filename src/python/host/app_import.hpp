// SPDX-License-Identifier: MIT
#pragma once

#include "app/host.hpp"
#include "python/runtime/py_ref.hpp"
#include "settings/settings.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>

namespace unicoro::python {

enum class interface_kind : std::uint8_t { wsgi, asgi };

struct imported_application {
    py_ref callable;
    interface_kind interface = interface_kind::wsgi;
};

/// Imports what `spec` names: `module`, `module:attribute` (dots allowed), `module:factory()` with
/// literal arguments; and finds out how it is called, unless `said` tells. boot_failure::application
/// when the spec leads to no application, and with the traceback when the
/// application's own code failed. With the GIL.
[[nodiscard]] boost::system::result<imported_application, app::load_error> import_application(
    const std::string& spec, settings::app_interface said
);

}  // namespace unicoro::python
