// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

namespace unicoro::python {

/// The fixed keys of an environ as interned str objects. Never freed: they live as long as Python.
struct environ_names {
    PyObject* wsgi_version;
    PyObject* wsgi_errors;
    PyObject* wsgi_multithread;
    PyObject* wsgi_multiprocess;
    PyObject* wsgi_run_once;
    PyObject* wsgi_file_wrapper;
    PyObject* wsgi_input;
    PyObject* wsgi_input_terminated;
    PyObject* wsgi_url_scheme;
    PyObject* server_software;
    PyObject* server_name;
    PyObject* server_port;
    PyObject* server_protocol;
    PyObject* wsgi_early_hints;
    PyObject* remote_addr;
    PyObject* remote_port;
    PyObject* request_method;
    PyObject* query_string;
    PyObject* raw_uri;
    PyObject* request_uri;
    PyObject* script_name;
    PyObject* path_info;
    PyObject* content_type;
    PyObject* content_length;
    PyObject* http_host;
    PyObject* draining;
    PyObject* stopping;
    PyObject* queue_time;

    /// Makes them. With the GIL; false with MemoryError set.
    [[nodiscard]] static bool prepare() noexcept;
    [[nodiscard]] static const environ_names& all() noexcept;
};

}  // namespace unicoro::python
