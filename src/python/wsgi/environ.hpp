// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"
#include "python/runtime/listener_cache.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/text_cache.hpp"
#include "python/wsgi/header_keys.hpp"
#include "settings/settings.hpp"

#include <cstdint>
#include <optional>

namespace unicoro::python {

/// Builds the environ of each request (PEP 3333) by copying a dict that already has what is the
/// same for every request of a listener. One per worker; every call with the GIL.
class environ_builder {
  public:
    environ_builder() = default;
    environ_builder(const environ_builder&) = delete;
    environ_builder& operator=(const environ_builder&) = delete;

    /// Whether the application may be called while it is in another request (wsgi.multithread).
    enum class calls { one_at_a_time, many_at_once };

    /// Makes the constant part. False with a Python exception set.
    [[nodiscard]] bool prepare(const settings::server_settings& values, calls concurrency);

    /// A new environ. `input` is the body's file, or null for a request without one. `body_size` is
    /// that of a chunked body that is here as a whole. Nothing, with a Python exception set, when
    /// there is no memory.
    [[nodiscard]] py_ref build(
        app::exchange& request, PyObject* input, std::optional<std::uint64_t> body_size
    );

  private:
    [[nodiscard]] py_ref base_for(const app::connection_info& connection);
    [[nodiscard]] bool add_target(
        PyObject* environ, const http::request_head& head, const app::location& where
    );
    [[nodiscard]] bool add_fields(PyObject* environ, const http::request_head& head);
    [[nodiscard]] bool add_field(
        PyObject* environ, const http::request_head& head, const http::field& field, bool& host_seen
    );
    [[nodiscard]] bool add_unix_server(PyObject* environ, const http::request_head& head);

    py_ref base_;
    listener_cache listeners_;
    text_cache texts_;
    header_keys keys_;
};

}  // namespace unicoro::python
