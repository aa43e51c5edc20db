// SPDX-License-Identifier: MIT
#include "python/gevent/loop_object.hpp"
#include "python/runtime/package.hpp"

/// gevent's loop as an extension module: for gevent's own tests, without a server.
PyMODINIT_FUNC PyInit__unicoro_gevent() {
    if (!unicoro::python::package::install()) return nullptr;
    return unicoro::python::gevent::make_module();
}
