// SPDX-License-Identifier: MIT
#pragma once

#include "app/websocket.hpp"
#include "python/asgi/asgi_call.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

namespace unicoro::python {

/// A request of scope type "websocket": the handshake, then messages. What needs no waiting is done at
/// once on the app::websocket; the connection's coroutine accepts, and flushes where send() waits.
class websocket_call final : public asgi_call {
  public:
    using asgi_call::asgi_call;

    progress receive(py_ref& message) override;
    py_ref send(PyObject* message) override;
    progress sent() override;

  protected:
    py_ref make_scope() override;
    void concluded(ending how) override;
    bool has_errand() const noexcept override { return !gone_ && (accept_due_ || flush_due_); }
    bool over() const noexcept override { return failed_ || gone_ || (ended_ && !has_errand()); }
    bool answered() const noexcept override { return ended_; }
    awaitable<void> run_errand() override;
    void leaving() override;

  private:
    enum class phase : std::uint8_t { connecting, accepting, open, denying, closed };

    [[nodiscard]] progress receive_message(py_ref& message);
    [[nodiscard]] py_ref disconnect();
    awaitable<void> read_more(app::websocket& socket);
    awaitable<void> accept();

    [[nodiscard]] bool take_accept(PyObject* message);
    [[nodiscard]] bool take_close(PyObject* message);
    [[nodiscard]] bool take_message(PyObject* message);
    [[nodiscard]] bool take_denial_start(PyObject* message);
    [[nodiscard]] bool take_denial_body(PyObject* message);
    [[nodiscard]] bool close(std::uint16_t code, std::string_view reason);
    [[nodiscard]] bool takes(const char* type, std::initializer_list<phase> wanted);
    void end();

    app::websocket* socket_ = nullptr;  // while it is open and attended
    std::optional<app::websocket_message> arrived_;
    std::optional<app::websocket_close> how_;  // it ended
    std::string subprotocol_;
    std::string denial_;
    error_code accept_failed_;
    phase phase_ = phase::connecting;
    bool connect_told_ = false;
    bool accept_due_ = false;
    bool accept_waits_ = false;  // send() of it, for the answer
    bool flush_due_ = false;
    bool closed_here_ = false;
    bool ended_ = false;
    bool failed_ = false;
};

}  // namespace unicoro::python
