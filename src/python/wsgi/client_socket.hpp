// SPDX-License-Identifier: MIT
#pragma once

#include "app/connection_offer.hpp"
#include "python/runtime/py_ref.hpp"

#include <memory>

namespace unicoro::python {

// With the GIL, in the greenlet or thread of the application.

/// Adds `gunicorn.socket` to the environ of a request and returns it: the client's connection as the
/// socket.socket of the worker, also gevent's or eventlet's, which takes the offer when it is first used.
/// For applications that use the package gevent-websocket, `wsgi.websocket` too. Nothing, with a Python
/// exception set, when it cannot be made.
[[nodiscard]] py_ref add_client_socket(
    PyObject* environ, PyObject* application, std::shared_ptr<app::connection_offer> offer
);

/// The offer was withdrawn: closes the socket, whoever holds it.
void end_client_socket(PyObject* client_socket) noexcept;

/// It was taken, and the application is done with the request.
void finish_client_socket(PyObject* client_socket) noexcept;

}  // namespace unicoro::python
