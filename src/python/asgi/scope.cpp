// SPDX-License-Identifier: MIT
#include "python/asgi/scope.hpp"

#include "app/connection_variables.hpp"
#include "app/percent.hpp"
#include "base/text.hpp"
#include "http/websocket_handshake.hpp"
#include "python/asgi/asgi_names.hpp"
#include "python/runtime/dict.hpp"
#include "python/runtime/stage_functions.hpp"
#include "python/runtime/text.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace unicoro::python {
namespace {

// Percent-encoding, or UTF-8 that was sent as it is.
bool is_encoded(char byte) noexcept {
    return byte == '%' || static_cast<unsigned char>(byte) > 0x7f;
}

py_ref number_or_none(int number) noexcept {
    return number != 0 ? py_ref::steal(PyLong_FromLong(number)) : py_ref::borrow(Py_None);
}

// The extension of ASGI's by this name. A warm-up request is told of as encrypted without a handshake.
py_ref tls_of(const tls::agreement& agreed) noexcept {
    const py_ref certificate =
        agreed.server_certificate ? utf8(*agreed.server_certificate) : py_ref::borrow(Py_None);
    const py_ref chain = py_ref::steal(PyList_New(0));
    const py_ref version = number_or_none(agreed.version_number);
    const py_ref cipher = number_or_none(agreed.cipher_id);
    if (!certificate || !chain || !version || !cipher) return {};
    py_ref name = py_ref::borrow(Py_None);
    if (agreed.client) {
        const py_ref shown = utf8(agreed.client->certificate);
        name = utf8(agreed.client->subject);
        if (!shown || !name || PyList_Append(chain.get(), shown.get()) != 0) return {};
    }
    return py_ref::steal(Py_BuildValue(
        "{sOsOsOsOsOsO}",
        "server_cert",
        certificate.get(),
        "client_cert_chain",
        chain.get(),
        "client_cert_name",
        name.get(),
        "client_cert_error",
        Py_None,
        "tls_version",
        version.get(),
        "cipher_suite",
        cipher.get()
    ));
}

py_ref versions(const char* spec) noexcept {
    return py_ref::steal(Py_BuildValue("{ssss}", "version", "3.0", "spec_version", spec));
}

}  // namespace

bool scope_builder::prepare(const settings::server_settings& values) {
    if (!asgi_names::prepare()) return false;
    const asgi_names& name = asgi_names::all();
    root_path_ = base::without_slash(values.root_path);
    early_hints_ = values.early_hints;
    versions_ = versions("2.4");
    const stage_functions stage = stage_functions::make();
    if (!stage.draining || !stage.stopping) return false;
    const py_ref worker = py_ref::steal(
        Py_BuildValue("{sOsO}", "draining", stage.draining.get(), "stopping", stage.stopping.get())
    );
    if (!worker) return false;
    http_extensions_ = py_ref::steal(Py_BuildValue(
        "{s{}s{}sO}", "http.response.pathsend", "http.response.early_hint", "unicoro", worker.get()
    ));
    websocket_extensions_ =
        py_ref::steal(Py_BuildValue("{s{}sO}", "websocket.http.response", "unicoro", worker.get()));
    http_ = py_ref::steal(PyDict_New());
    if (!versions_ || !http_extensions_ || !websocket_extensions_ || !http_) return false;
    PyObject* const http = http_.get();
    // What each request sets anew is here too, as a place: a copy of the right size needs no growing.
    const bool common = put(http, name.type, name.http) && put(http, name.asgi, versions_) &&
                        put(http, name.http_version, name.http_1_1) && put(http, name.scheme, name.http) &&
                        put(http, name.path, name.no_text) && put(http, name.raw_path, name.no_bytes) &&
                        put(http, name.query_string, name.no_bytes) &&
                        put(http, name.root_path, utf8(root_path_)) && put(http, name.headers, Py_None) &&
                        put(http, name.client, Py_None) && put(http, name.server, Py_None) &&
                        put(http, name.state, Py_None) && put(http, name.extensions, Py_None);
    if (!common) return false;
    websocket_ = py_ref::steal(PyDict_Copy(http));
    return websocket_ && put(websocket_.get(), name.type, name.websocket) &&
           put(websocket_.get(), name.scheme, name.ws) && put(websocket_.get(), name.subprotocols, Py_None) &&
           put(http, name.method, name.no_text);
}

py_ref scope_builder::http(app::exchange& request, PyObject* state) {
    const asgi_names& name = asgi_names::all();
    py_ref scope = build(http_.get(), request, state);
    if (!scope || !put(scope.get(), name.method, texts_.get(request.head().method))) return {};
    const py_ref extensions = extensions_of(request, http_extensions_.get());
    if (!put(scope.get(), name.extensions, extensions)) return {};
    // Its clients do not know them.
    const bool no_hints = !early_hints_ || request.head().version == http::version::http_1_0;
    if (no_hints && PyDict_DelItem(extensions.get(), name.early_hint) != 0) return {};
    if (request.head().scheme != "http" && !put(scope.get(), name.scheme, name.https)) return {};
    return scope;
}

py_ref scope_builder::websocket(app::exchange& request, PyObject* state) {
    const asgi_names& name = asgi_names::all();
    py_ref scope = build(websocket_.get(), request, state);
    if (!scope || !put(scope.get(), name.subprotocols, subprotocols_of(request.head()))) return {};
    if (!put(scope.get(), name.extensions, extensions_of(request, websocket_extensions_.get()))) return {};
    if (request.head().scheme != "http" && !put(scope.get(), name.scheme, name.wss)) return {};
    return scope;
}

py_ref scope_builder::lifespan(PyObject* state) {
    const asgi_names& name = asgi_names::all();
    py_ref scope = py_ref::steal(PyDict_New());
    const py_ref type = py_ref::steal(PyUnicode_InternFromString("lifespan"));
    const bool complete = scope && put(scope.get(), name.type, type) &&
                          put(scope.get(), name.asgi, versions("2.0")) && put(scope.get(), name.state, state);
    if (!complete) return {};
    return scope;
}

py_ref scope_builder::build(PyObject* base, app::exchange& request, PyObject* state) {
    const asgi_names& name = asgi_names::all();
    const http::request_head& head = request.head();
    py_ref made = py_ref::steal(PyDict_Copy(base));
    PyObject* const scope = made.get();
    if (scope == nullptr || !add_target(scope, request) ||
        !put(scope, name.asgi, py_ref::steal(PyDict_Copy(versions_.get()))) ||
        !put(scope, name.headers, fields_of(head)) ||
        !put(scope, name.state, py_ref::steal(PyDict_Copy(state)))) {
        return {};
    }
    const app::client_end client = request.client();
    if (!client.address.empty() && !put(scope, name.client, pair_of(client))) return {};
    if (!put(scope, name.server, server_of(request.connection()))) return {};
    if (head.version != http::version::http_1_1) {
        const bool new_one = head.version == http::version::http_2;
        if (!put(scope, name.http_version, new_one ? name.http_2 : name.http_1_0)) return {};
    }
    return made;
}

bool scope_builder::add_target(PyObject* scope, app::exchange& request) {
    const asgi_names& name = asgi_names::all();
    const http::request_head& head = request.head();
    // "http://host" without a path asks for "/" (RFC 9110, 4.2.3).
    const std::string_view path = head.path.empty() ? std::string_view("/") : head.path;
    if (std::none_of(path.begin(), path.end(), is_encoded)) {
        if (!put(scope, name.path, texts_.get(path))) return false;
    } else {
        const std::string decoded = app::percent_decode(path, app::plus_sign::literal);
        if (!put(scope, name.path, utf8(decoded))) return false;
    }
    if (!put(scope, name.raw_path, bytes_of(path))) return false;
    if (!head.query.empty() && !put(scope, name.query_string, bytes_of(head.query))) return false;
    const app::location& where = request.where();
    // What a proxy takes off the path it tells by SCRIPT_NAME, else the setting does.
    const std::string_view server =
        head.script_name.empty() && !root_path_.empty() ? std::string_view(root_path_) : where.server;
    if (server == root_path_ && where.prefix.empty()) return true;
    return put(scope, name.root_path, utf8(std::string(server).append(where.prefix)));
}

py_ref scope_builder::extensions_of(app::exchange& request, PyObject* base) {
    py_ref made = py_ref::steal(PyDict_Copy(base));
    if (!made) return {};
    if (const auto waited = request.waited()) {
        const double seconds = std::chrono::duration<double>(*waited).count();
        const py_ref told = py_ref::steal(Py_BuildValue("{sd}", "seconds", seconds));
        if (!put(made.get(), asgi_names::all().queue_time, told)) return {};
    }
    const app::connection_info& connection = request.connection();
    if (!connection.stream) return made;
    if (connection.stream->tls) {
        const py_ref told = tls_of(*connection.stream->tls);
        if (!told || PyDict_SetItemString(made.get(), "tls", told.get()) != 0) return {};
    }
    const auto said = app::proxy_variables(connection);
    if (said.empty()) return made;
    const py_ref variables = py_ref::steal(PyDict_New());
    if (!variables) return {};
    for (const auto& [name, value] : said) {
        if (!put(variables.get(), texts_.get(name).get(), latin1(value))) return {};
    }
    if (PyDict_SetItemString(made.get(), "proxy_protocol", variables.get()) != 0) return {};
    return made;
}

py_ref scope_builder::fields_of(const http::request_head& head) {
    py_ref list = py_ref::steal(PyList_New(static_cast<Py_ssize_t>(head.fields.size())));
    if (!list) return {};
    bool host_seen = false;
    Py_ssize_t at = 0;
    for (const http::field& field : head.fields) {
        const bool host = field.name.size() == 4 && http::iequals(field.name, "host");
        host_seen = host_seen || host;
        // Absolute-form overrules the field (RFC 9112, 3.2.2).
        py_ref pair = pairs_.get(field.name, host ? head.authority : field.value);
        if (!pair) return {};
        PyList_SET_ITEM(list.get(), at++, pair.release());
    }
    if (host_seen || head.authority.empty()) return list;
    const py_ref pair = pairs_.get("host", head.authority);
    if (!pair || PyList_Append(list.get(), pair.get()) != 0) return {};
    return list;
}

py_ref scope_builder::pair_of(const app::client_end& client) {
    const py_ref address = texts_.get(client.address);
    const py_ref port = py_ref::steal(PyLong_FromLong(client.port));
    if (!address || !port) return {};
    return py_ref::steal(PyTuple_Pack(2, address.get(), port.get()));
}

py_ref scope_builder::server_of(const app::connection_info& connection) {
    if (PyObject* const known = listeners_.find(connection)) return py_ref::borrow(known);
    const py_ref address = py_ref::steal(PyUnicode_DecodeFSDefaultAndSize(
        connection.local_address.data(), static_cast<Py_ssize_t>(connection.local_address.size())
    ));
    const py_ref port = connection.unix_socket ? py_ref::borrow(Py_None)
                                               : py_ref::steal(PyLong_FromLong(connection.local_port));
    if (!address || !port) return {};
    py_ref server = py_ref::steal(PyTuple_Pack(2, address.get(), port.get()));
    if (server) listeners_.keep(connection, server.get());
    return server;
}

py_ref scope_builder::subprotocols_of(const http::request_head& head) {
    py_ref list = py_ref::steal(PyList_New(0));
    if (!list) return {};
    for (const std::string_view each : http::offered_subprotocols(head)) {
        const py_ref text = latin1(each);
        if (!text || PyList_Append(list.get(), text.get()) != 0) return {};
    }
    return list;
}

}  // namespace unicoro::python
