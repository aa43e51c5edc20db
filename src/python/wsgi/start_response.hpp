// SPDX-License-Identifier: MIT
#pragma once

#include "app/connection_offer.hpp"
#include "app/exchange.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/wsgi/request_io.hpp"

#include <memory>

namespace unicoro::python {

/// What the application has said of its response so far. Lives in the call it belongs to.
struct response_state {
    explicit response_state(app::exchange& of) noexcept : request(of) {}

    /// Before the response begins: true unless the application took the connection, and from then on it
    /// cannot.
    [[nodiscard]] bool withdraw_offer() const noexcept { return !offer || offer->withdraw(); }
    [[nodiscard]] bool connection_taken() const noexcept { return offer && offer->taken(); }

    app::exchange& request;
    std::shared_ptr<app::connection_offer> offer;  ///< of the client's connection, where it can be had
    bool started = false;                          ///< start_response was called and its head accepted
    bool began = false;                            ///< something of the body went out
    request_io* io = nullptr;  ///< `write()` sends through it; set before the application is called
};

/// The `start_response` of one request, the `write` it returns, and its `wsgi.early_hints`. They are used
/// again for a later request, unless the application kept one: then that one fails when it is called, or
/// does nothing where it is for hints.
class response_starter {
  public:
    response_starter() = default;
    response_starter(const response_starter&) = delete;
    response_starter& operator=(const response_starter&) = delete;

    /// The callable for this request, borrowed. Null with a Python exception set. With the GIL.
    [[nodiscard]] PyObject* begin(response_state& state) noexcept;

    /// What goes into its environ, borrowed; after `begin`.
    [[nodiscard]] PyObject* early_hints() const noexcept { return hints_.get(); }

    /// The request is over; nothing refers to `state` any more. With the GIL.
    void end() noexcept;

  private:
    [[nodiscard]] bool prepare() noexcept;

    py_ref start_;
    py_ref write_;
    py_ref hints_;
};

}  // namespace unicoro::python
