// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

namespace unicoro::python {

/// Keys of scopes and messages and what is the same in all of them, as interned str objects. Never
/// freed: they live as long as Python.
struct asgi_names {
    // keys
    PyObject* type;
    PyObject* asgi;
    PyObject* http_version;
    PyObject* method;
    PyObject* scheme;
    PyObject* path;
    PyObject* raw_path;
    PyObject* query_string;
    PyObject* root_path;
    PyObject* headers;
    PyObject* client;
    PyObject* server;
    PyObject* state;
    PyObject* extensions;
    PyObject* subprotocols;
    PyObject* subprotocol;
    PyObject* status;
    PyObject* body;
    PyObject* more_body;
    PyObject* trailers;
    PyObject* text;
    PyObject* bytes;
    PyObject* code;
    PyObject* reason;
    PyObject* queue_time;
    PyObject* links;
    PyObject* early_hint;
    // values
    PyObject* http;
    PyObject* https;
    PyObject* ws;
    PyObject* wss;
    PyObject* websocket;
    PyObject* http_1_0;
    PyObject* http_1_1;
    PyObject* http_2;
    PyObject* http_request;
    PyObject* http_disconnect;
    PyObject* websocket_connect;
    PyObject* websocket_receive;
    PyObject* websocket_disconnect;
    PyObject* no_bytes;
    PyObject* no_text;

    /// Makes them. With the GIL; false with MemoryError set.
    [[nodiscard]] static bool prepare() noexcept;
    [[nodiscard]] static const asgi_names& all() noexcept;
};

}  // namespace unicoro::python
