// SPDX-License-Identifier: MIT
#pragma once

#include "aio/event.hpp"
#include "python/asgi/scope.hpp"
#include "python/runtime/py_ref.hpp"
#include "settings/settings.hpp"

#include <string>

namespace unicoro::python {

class asgi_loop;

/// An ASGI application in a worker, with its lifespan and the state that its requests share. Made,
/// used and destroyed with the GIL, but for `answered`.
class asgi_application {
  public:
    asgi_application(asio::io_context& io, py_ref callable) noexcept
        : callable_(std::move(callable)), answered_(io) {}
    asgi_application(const asgi_application&) = delete;
    asgi_application& operator=(const asgi_application&) = delete;

    /// False with a Python exception set.
    [[nodiscard]] bool prepare(const settings::server_settings& values);

    [[nodiscard]] PyObject* callable() const noexcept { return callable_.get(); }
    [[nodiscard]] PyObject* state() const noexcept { return state_.get(); }
    [[nodiscard]] scope_builder& scopes() noexcept { return scopes_; }

    /// Seconds that a task has after its client went away.
    [[nodiscard]] double disconnect_grace() const noexcept { return disconnect_grace_; }

    /// Tell it of its start and stop; `answered` rings when `outcome` is known. Outside of any task.
    void start_lifespan(asgi_loop& loop, settings::lifespan_mode mode);
    void stop_lifespan();

    [[nodiscard]] aio::event& answered() noexcept { return answered_; }
    /// "served", "without", "failed" or "stopped", with a text for the log.
    [[nodiscard]] const std::string& outcome() const noexcept { return outcome_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

  private:
    static PyObject* tell(PyObject* self, PyObject* const* arguments, Py_ssize_t count);
    void answer(std::string outcome, std::string text);

    py_ref callable_;
    py_ref state_;
    py_ref lifespan_;
    scope_builder scopes_;
    aio::event answered_;
    std::string outcome_;
    std::string text_;
    double disconnect_grace_ = 0;
};

}  // namespace unicoro::python
