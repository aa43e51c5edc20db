// SPDX-License-Identifier: MIT
#include "python/wsgi/environ.hpp"

#include "app/connection_variables.hpp"
#include "app/percent.hpp"
#include "python/runtime/dict.hpp"
#include "python/runtime/no_collection.hpp"
#include "python/runtime/stage_functions.hpp"
#include "python/runtime/text.hpp"
#include "python/wsgi/environ_names.hpp"
#include "python/wsgi/error_stream.hpp"
#include "python/wsgi/file_wrapper.hpp"
#include "python/wsgi/input.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <utility>

namespace unicoro::python {
namespace {

py_ref number(std::uint64_t value) noexcept {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return latin1({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

/// "[::1]:80" has a port, "[::1]" and "::1" have not.
std::pair<std::string_view, std::string_view> split_authority(std::string_view authority) noexcept {
    const std::size_t colon = authority.rfind(':');
    if (colon == std::string_view::npos || authority.find(']', colon) != std::string_view::npos) {
        return {authority, {}};
    }
    return {authority.substr(0, colon), authority.substr(colon + 1)};
}

/// Appends a repeat of a field to the value there is (RFC 9110, 5.3).
bool join(PyObject* environ, PyObject* key, PyObject* value, const char* separator) noexcept {
    PyObject* const before = PyDict_GetItemWithError(environ, key);
    if (before == nullptr) return false;
    return put(environ, key, py_ref::steal(PyUnicode_FromFormat("%U%s%U", before, separator, value)));
}

}  // namespace

bool environ_builder::prepare(const settings::server_settings& values, calls concurrency) {
    base_ = py_ref::steal(PyDict_New());
    if (!base_ || !environ_names::prepare()) return false;
    const environ_names& key = environ_names::all();

    const py_ref empty = latin1("");
    const py_ref input = empty_input();
    const py_ref errors = make_error_stream();
    const py_ref version = py_ref::steal(Py_BuildValue("(ii)", 1, 0));
    const py_ref server = latin1("unicoro/" UNICORO_VERSION);
    const py_ref http_1_1 = latin1("HTTP/1.1");
    const py_ref http = latin1("http");
    const py_ref wrapper = py_ref::borrow(file_wrapper_type());
    const stage_functions stage = stage_functions::make();
    const py_ref yes = py_ref::borrow(Py_True);
    const py_ref no = py_ref::borrow(Py_False);
    const py_ref& several = values.workers > 1 ? yes : no;
    const py_ref& threads = concurrency == calls::many_at_once ? yes : no;
    PyObject* const environ = base_.get();
    // What each request sets anew is here too, as a place: a copy of the right size needs no
    // growing.
    const bool complete =
        put(environ, key.wsgi_version, version) && put(environ, key.wsgi_errors, errors) &&
        put(environ, key.wsgi_multithread, threads) && put(environ, key.wsgi_multiprocess, several) &&
        put(environ, key.wsgi_run_once, no) && put(environ, key.wsgi_file_wrapper, wrapper) &&
        put(environ, key.wsgi_input_terminated, yes) && put(environ, key.wsgi_input, input) &&
        put(environ, key.wsgi_early_hints, Py_None) && put(environ, key.wsgi_url_scheme, http) &&
        put(environ, key.server_software, server) && put(environ, key.request_method, empty) &&
        put(environ, key.query_string, empty) && put(environ, key.raw_uri, empty) &&
        put(environ, key.request_uri, empty) && put(environ, key.server_protocol, http_1_1) &&
        put(environ, key.remote_addr, empty) && put(environ, key.server_name, empty) &&
        put(environ, key.server_port, empty) && put(environ, key.path_info, empty) &&
        put(environ, key.script_name, empty) && put(environ, key.draining, stage.draining) &&
        put(environ, key.stopping, stage.stopping);
    if (!complete) return false;
    // More than 21 entries make the table one size larger, which lets the request's fields in as
    // well.
    const py_ref filler = latin1("filler");
    for (char letter = 'a'; letter <= 'c'; ++letter) {
        const py_ref name = py_ref::steal(PyUnicode_FromFormat("filler %c", letter));
        if (!name || !put(environ, name.get(), filler)) return false;
    }
    for (char letter = 'a'; letter <= 'c'; ++letter) {
        const py_ref name = py_ref::steal(PyUnicode_FromFormat("filler %c", letter));
        if (!name || PyDict_DelItem(environ, name.get()) != 0) return false;
    }
    return true;
}

py_ref environ_builder::base_for(const app::connection_info& connection) {
    if (connection.unix_socket) return py_ref::borrow(base_.get());
    if (PyObject* const known = listeners_.find(connection)) return py_ref::borrow(known);
    py_ref base = py_ref::steal(PyDict_Copy(base_.get()));
    const environ_names& key = environ_names::all();
    if (!base || !put(base.get(), key.server_name, latin1(connection.local_address)) ||
        !put(base.get(), key.server_port, number(connection.local_port))) {
        return {};
    }
    listeners_.keep(connection, base.get());
    return base;
}

py_ref environ_builder::build(
    app::exchange& request, PyObject* input, std::optional<std::uint64_t> body_size
) {
    const no_collection meanwhile;
    const http::request_head& head = request.head();
    const app::connection_info& connection = request.connection();
    const environ_names& key = environ_names::all();
    const py_ref base = base_for(connection);
    if (!base) return {};
    py_ref made = py_ref::steal(PyDict_Copy(base.get()));
    PyObject* const environ = made.get();
    if (environ == nullptr || !put(environ, key.request_method, texts_.get(head.method)) ||
        !add_target(environ, head, request.where()) || !add_fields(environ, head)) {
        return {};
    }
    if (head.version != http::version::http_1_1 &&
        !put(environ, key.server_protocol, texts_.get(head.protocol()))) {
        return {};
    }
    if (head.scheme != "http" && !put(environ, key.wsgi_url_scheme, texts_.get(head.scheme))) {
        return {};
    }
    const app::client_end client = request.client();
    if (!put(environ, key.remote_addr, texts_.get(client.address))) return {};
    if (connection.unix_socket && !add_unix_server(environ, head)) return {};
    if (client.has_port && !put(environ, key.remote_port, number(client.port))) return {};
    for (const auto& [name, value] : app::variables_of(connection)) {
        if (!put(environ, texts_.get(name).get(), latin1(value))) return {};
    }
    if (const auto waited = request.waited()) {
        const double seconds = std::chrono::duration<double>(*waited).count();
        if (!put(environ, key.queue_time, py_ref::steal(PyFloat_FromDouble(seconds)))) return {};
    }
    if (input != nullptr) {
        if (PyDict_SetItem(environ, key.wsgi_input, input) != 0) return {};
        // Some frameworks read no body without a length.
        if (body_size && head.framing == http::body_framing::chunked &&
            !put(environ, key.content_length, number(*body_size))) {
            return {};
        }
    }
    return made;
}

bool environ_builder::add_target(
    PyObject* environ, const http::request_head& head, const app::location& where
) {
    const environ_names& key = environ_names::all();
    const py_ref target = texts_.get(head.target);
    if (!put(environ, key.raw_uri, target) || !put(environ, key.request_uri, target)) return false;
    if (!head.query.empty() && !put(environ, key.query_string, latin1(head.query))) return false;
    const bool mounted = !where.server.empty() || !where.prefix.empty();
    if (mounted && !put(environ, key.script_name, texts_.get(where.script_name()))) return false;

    const std::string_view path = where.path;
    if (path.empty()) {
        // "http://host" without a path; PEP 3333 wants one of SCRIPT_NAME and PATH_INFO to be set.
        return mounted || put(environ, key.path_info, latin1("/"));
    }
    if (path.find('%') != std::string_view::npos) {
        const std::string decoded = app::percent_decode(path, app::plus_sign::literal);
        return put(environ, key.path_info, latin1(decoded));
    }
    if (path.size() == head.target.size()) return put(environ, key.path_info, target);
    return put(environ, key.path_info, texts_.get(path));
}

bool environ_builder::add_fields(PyObject* environ, const http::request_head& head) {
    bool host_seen = false;
    for (const http::field& field : head.fields) {
        if (!add_field(environ, head, field, host_seen)) return false;
    }
    if (host_seen || head.authority.empty()) return true;
    return put(environ, environ_names::all().http_host, texts_.get(head.authority));
}

bool environ_builder::add_field(
    PyObject* environ, const http::request_head& head, const http::field& field, bool& host_seen
) {
    using role = header_key::role;
    const environ_names& key = environ_names::all();
    const header_key& known = keys_.find(field.name);
    if (!known.key) return false;
    switch (known.kind) {
        case role::content_type: return put(environ, key.content_type, texts_.get(field.value));
        case role::content_length: return put(environ, key.content_length, texts_.get(field.value));
        case role::host: host_seen = true; return put(environ, known.key.get(), texts_.get(head.authority));
        case role::plain:
        case role::secret:
        case role::cookie: break;
    }
    const py_ref value = known.kind == role::plain ? texts_.get(field.value) : latin1(field.value);
    if (!value) return false;
    const Py_ssize_t before = PyDict_GET_SIZE(environ);
    if (PyDict_SetDefault(environ, known.key.get(), value.get()) == nullptr) return false;
    if (PyDict_GET_SIZE(environ) != before) return true;
    return join(environ, known.key.get(), value.get(), known.kind == role::cookie ? "; " : ",");
}

// A unix socket has no name and port: those of the request's Host stand in for them.
bool environ_builder::add_unix_server(PyObject* environ, const http::request_head& head) {
    const environ_names& key = environ_names::all();
    auto [name, port] = split_authority(head.authority);
    if (name.empty()) name = "localhost";
    if (port.empty()) port = head.scheme == "https" ? "443" : "80";
    return put(environ, key.server_name, texts_.get(name)) && put(environ, key.server_port, texts_.get(port));
}

}  // namespace unicoro::python
