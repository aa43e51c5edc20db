// SPDX-License-Identifier: MIT
#include "python/wsgi/request_io.hpp"

namespace unicoro::python {

bool refuse_over() noexcept {
    if (PyErr_Occurred() == nullptr) PyErr_SetString(PyExc_ConnectionError, "the request is over");
    return false;
}

bool refuse_gone(error_code why) {
    PyErr_Format(PyExc_ConnectionError, "the client has gone: %s", why.message().c_str());
    return false;
}

}  // namespace unicoro::python
