// SPDX-License-Identifier: MIT
#include "python/asgi/asgi_names.hpp"

namespace unicoro::python {
namespace {

asgi_names& storage() noexcept {
    static asgi_names names{};
    return names;
}

struct entry {
    PyObject* asgi_names::* where;
    const char* text;
};

constexpr entry texts[] = {
    {&asgi_names::type, "type"},
    {&asgi_names::asgi, "asgi"},
    {&asgi_names::http_version, "http_version"},
    {&asgi_names::method, "method"},
    {&asgi_names::scheme, "scheme"},
    {&asgi_names::path, "path"},
    {&asgi_names::raw_path, "raw_path"},
    {&asgi_names::query_string, "query_string"},
    {&asgi_names::root_path, "root_path"},
    {&asgi_names::headers, "headers"},
    {&asgi_names::client, "client"},
    {&asgi_names::server, "server"},
    {&asgi_names::state, "state"},
    {&asgi_names::extensions, "extensions"},
    {&asgi_names::subprotocols, "subprotocols"},
    {&asgi_names::subprotocol, "subprotocol"},
    {&asgi_names::status, "status"},
    {&asgi_names::body, "body"},
    {&asgi_names::more_body, "more_body"},
    {&asgi_names::trailers, "trailers"},
    {&asgi_names::text, "text"},
    {&asgi_names::bytes, "bytes"},
    {&asgi_names::code, "code"},
    {&asgi_names::reason, "reason"},
    {&asgi_names::http, "http"},
    {&asgi_names::https, "https"},
    {&asgi_names::ws, "ws"},
    {&asgi_names::wss, "wss"},
    {&asgi_names::websocket, "websocket"},
    {&asgi_names::http_1_0, "1.0"},
    {&asgi_names::http_1_1, "1.1"},
    {&asgi_names::http_2, "2"},
    {&asgi_names::http_request, "http.request"},
    {&asgi_names::http_disconnect, "http.disconnect"},
    {&asgi_names::websocket_connect, "websocket.connect"},
    {&asgi_names::websocket_receive, "websocket.receive"},
    {&asgi_names::websocket_disconnect, "websocket.disconnect"},
    {&asgi_names::links, "links"},
    {&asgi_names::early_hint, "http.response.early_hint"},
    {&asgi_names::queue_time, "unicoro.queue_time"},
    {&asgi_names::no_text, ""},
};

}  // namespace

bool asgi_names::prepare() noexcept {
    asgi_names& names = storage();
    for (const entry& each : texts) {
        if (names.*each.where != nullptr) continue;
        names.*each.where = PyUnicode_InternFromString(each.text);
        if (names.*each.where == nullptr) return false;
    }
    if (names.no_bytes == nullptr) names.no_bytes = PyBytes_FromStringAndSize(nullptr, 0);
    return names.no_bytes != nullptr;
}

const asgi_names& asgi_names::all() noexcept {
    return storage();
}

}  // namespace unicoro::python
