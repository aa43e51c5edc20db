// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"
#include "python/asgi/header_pairs.hpp"
#include "python/runtime/listener_cache.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/text_cache.hpp"
#include "settings/settings.hpp"

#include <string>
#include <string_view>

namespace unicoro::python {

/// Builds the scope of each request (ASGI 3, spec version 2.4) by copying a dict
/// that already has what is the same for every request of a listener. One per application; every call
/// with the GIL.
class scope_builder {
  public:
    scope_builder() = default;
    scope_builder(const scope_builder&) = delete;
    scope_builder& operator=(const scope_builder&) = delete;

    /// Makes the constant part. False with a Python exception set.
    [[nodiscard]] bool prepare(const settings::server_settings& values);

    /// A scope of type "http" or "websocket"; `state` is the application's, and copied. Nothing, with
    /// a Python exception set, when there is no memory.
    [[nodiscard]] py_ref http(app::exchange& request, PyObject* state);
    [[nodiscard]] py_ref websocket(app::exchange& request, PyObject* state);

    /// The scope of type "lifespan" with `state` itself.
    [[nodiscard]] py_ref lifespan(PyObject* state);

  private:
    [[nodiscard]] py_ref build(PyObject* base, app::exchange& request, PyObject* state);
    [[nodiscard]] bool add_target(PyObject* scope, app::exchange& request);
    [[nodiscard]] py_ref extensions_of(app::exchange& request, PyObject* base);
    [[nodiscard]] py_ref fields_of(const http::request_head& head);
    [[nodiscard]] py_ref pair_of(const app::client_end& client);
    [[nodiscard]] py_ref server_of(const app::connection_info& connection);
    [[nodiscard]] py_ref subprotocols_of(const http::request_head& head);

    py_ref http_;
    py_ref websocket_;
    py_ref versions_;
    py_ref http_extensions_;
    py_ref websocket_extensions_;
    listener_cache listeners_;
    std::string root_path_;
    bool early_hints_ = true;
    text_cache texts_;
    header_pairs pairs_;
};

}  // namespace unicoro::python
