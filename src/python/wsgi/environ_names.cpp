// SPDX-License-Identifier: MIT
#include "python/wsgi/environ_names.hpp"

#include <utility>

namespace unicoro::python {
namespace {

environ_names& instance() noexcept {
    static environ_names names{};
    return names;
}

}  // namespace

bool environ_names::prepare() noexcept {
    environ_names& n = instance();
    const std::pair<PyObject*&, const char*> table[] = {
        {n.wsgi_version, "wsgi.version"},
        {n.wsgi_errors, "wsgi.errors"},
        {n.wsgi_multithread, "wsgi.multithread"},
        {n.wsgi_multiprocess, "wsgi.multiprocess"},
        {n.wsgi_run_once, "wsgi.run_once"},
        {n.wsgi_file_wrapper, "wsgi.file_wrapper"},
        {n.wsgi_input, "wsgi.input"},
        {n.wsgi_input_terminated, "wsgi.input_terminated"},
        {n.wsgi_url_scheme, "wsgi.url_scheme"},
        {n.wsgi_early_hints, "wsgi.early_hints"},
        {n.server_software, "SERVER_SOFTWARE"},
        {n.server_name, "SERVER_NAME"},
        {n.server_port, "SERVER_PORT"},
        {n.server_protocol, "SERVER_PROTOCOL"},
        {n.remote_addr, "REMOTE_ADDR"},
        {n.remote_port, "REMOTE_PORT"},
        {n.request_method, "REQUEST_METHOD"},
        {n.query_string, "QUERY_STRING"},
        {n.raw_uri, "RAW_URI"},
        {n.request_uri, "REQUEST_URI"},
        {n.script_name, "SCRIPT_NAME"},
        {n.path_info, "PATH_INFO"},
        {n.content_type, "CONTENT_TYPE"},
        {n.content_length, "CONTENT_LENGTH"},
        {n.http_host, "HTTP_HOST"},
        {n.draining, "unicoro.draining"},
        {n.stopping, "unicoro.stopping"},
        {n.queue_time, "unicoro.queue_time"},
    };
    for (const auto& [where, text] : table) {
        if (where == nullptr) where = PyUnicode_InternFromString(text);
        if (where == nullptr) return false;
    }
    return true;
}

const environ_names& environ_names::all() noexcept {
    return instance();
}

}  // namespace unicoro::python
