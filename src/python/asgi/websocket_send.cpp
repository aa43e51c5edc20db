// SPDX-License-Identifier: MIT
#include "python/asgi/asgi_names.hpp"
#include "python/asgi/awaitables.hpp"
#include "python/asgi/message.hpp"
#include "python/asgi/websocket_call.hpp"
#include "python/runtime/text.hpp"

#include <algorithm>
#include <utility>

namespace unicoro::python {

py_ref websocket_call::send(PyObject* message) {
    const auto type = message::type_of(message);
    if (!type) return {};
    bool taken = false;
    if (*type == "websocket.accept") {
        taken = take_accept(message);
    } else if (*type == "websocket.send") {
        taken = take_message(message);
    } else if (*type == "websocket.close") {
        taken = take_close(message);
    } else if (*type == "websocket.http.response.start") {
        taken = take_denial_start(message);
    } else if (*type == "websocket.http.response.body") {
        taken = take_denial_body(message);
    } else {
        PyErr_Format(
            PyExc_ValueError,
            "the message type '%.100s' is unknown here (scope type 'websocket')",
            type->data()
        );
    }
    if (!taken) return {};
    const bool waits = phase_ == phase::accepting ||
                       (phase_ == phase::open && socket_->unsent() > app::websocket::sent_at_once);
    return waits ? wait_until_sent(coroutine()) : sent_already();
}

asgi_call::progress websocket_call::sent() {
    if (accept_failed_ == errc::invalid_subprotocol) {
        accept_failed_ = error_code();
        PyErr_Format(
            PyExc_ValueError,
            "'subprotocol' is not among those the client offers: '%.100s'",
            subprotocol_.c_str()
        );
        return progress::failed;
    }
    // Closed by the application, it still sends what was sent before.
    if (phase_ == phase::closed && closed_here_) return progress::ready;
    // What came with the handshake can be received, though the client may have gone already.
    if (phase_ == phase::open && std::exchange(accept_waits_, false)) return progress::ready;
    // The client may close as soon as it has the message: that one was sent all the same.
    const bool lost = phase_ == phase::open && socket_->ended() && !socket_->all_sent();
    if (!attended() || phase_ == phase::closed || lost) {
        [[maybe_unused]] const py_ref nothing = client_gone();
        return progress::failed;
    }
    if (phase_ == phase::accepting) return progress::pending;
    if (phase_ != phase::open || socket_->unsent() <= app::websocket::sent_at_once) return progress::ready;
    flush_due_ = true;
    ring();
    return progress::pending;
}

// Whether a message fits here and now. With what it says at hand: no code of the application runs
// between this and its taking.
bool websocket_call::takes(const char* type, std::initializer_list<phase> wanted) {
    static constexpr const char* states[] = {
        "not accepted yet", "being accepted", "accepted", "being denied", "closed"
    };
    if (closed_here_) {
        PyErr_Format(PyExc_RuntimeError, "the message '%s' comes after the WebSocket was closed", type);
    } else if (!attended() || phase_ == phase::closed) {
        [[maybe_unused]] const py_ref nothing = client_gone();
    } else if (std::find(wanted.begin(), wanted.end(), phase_) != wanted.end()) {
        return true;
    } else {
        PyErr_Format(
            PyExc_RuntimeError,
            "the message '%s' does not fit a WebSocket that is %s",
            type,
            states[static_cast<std::size_t>(phase_)]
        );
    }
    return false;
}

bool websocket_call::take_accept(PyObject* message) {
    const auto subprotocol = message::text(message, asgi_names::all().subprotocol);
    if (!subprotocol) return false;
    std::string chosen(*subprotocol);
    http::response_head head;
    if (!message::add_headers(head, message)) return false;
    if (!takes("websocket.accept", {phase::connecting})) return false;
    request_->response() = std::move(head);
    subprotocol_ = std::move(chosen);
    phase_ = phase::accepting;
    accept_due_ = accept_waits_ = true;
    ring();
    return true;
}

bool websocket_call::take_message(PyObject* message) {
    const asgi_names& name = asgi_names::all();
    app::websocket_message outgoing;
    if (message::item(message, name.bytes) != nullptr) {
        const py_ref bytes = message::bytes(message, name.bytes);
        if (!bytes) return false;
        outgoing.type = app::websocket_message::kind::binary;
        outgoing.data = view_of(bytes.get());
    } else if (message::item(message, name.text) != nullptr) {
        const auto text = message::text(message, name.text);
        if (!text) return false;
        outgoing.data = *text;
    } else {
        if (PyErr_Occurred() == nullptr) {
            PyErr_SetString(PyExc_ValueError, "websocket.send has neither 'bytes' nor 'text'");
        }
        return false;
    }
    if (!takes("websocket.send", {phase::open})) return false;
    const error_code failed = socket_->post(std::move(outgoing));
    if (!failed) return true;
    if (failed == errc::websocket_closed) {
        [[maybe_unused]] const py_ref nothing = client_gone();
    } else {
        PyErr_SetString(PyExc_OSError, failed.message().c_str());
    }
    return false;
}

bool websocket_call::take_close(PyObject* message) {
    const asgi_names& name = asgi_names::all();
    const auto code = message::number(message, name.code, 1000);
    if (!code) return false;
    const auto reason = message::text(message, name.reason);
    if (!reason || !takes("websocket.close", {phase::connecting, phase::open})) return false;
    if (phase_ == phase::connecting) {
        request_->fail(403, "");
        return close(1006, {});
    }
    if (*code < 0 || *code > 0xFFFF || socket_->close(static_cast<std::uint16_t>(*code), *reason)) {
        PyErr_Format(
            PyExc_ValueError, "'code' must be one that may be sent (1000, 3000 to 4999, ...), not %d", *code
        );
        return false;
    }
    return close(static_cast<std::uint16_t>(*code), *reason);
}

bool websocket_call::close(std::uint16_t code, std::string_view reason) {
    how_ = app::websocket_close{code, std::string(reason)};
    closed_here_ = true;
    end();
    return true;
}

bool websocket_call::take_denial_start(PyObject* message) {
    http::response_head head;
    if (!message::fill_head(head, message)) return false;
    if (!takes("websocket.http.response.start", {phase::connecting})) return false;
    request_->response() = std::move(head);
    phase_ = phase::denying;
    return true;
}

bool websocket_call::take_denial_body(PyObject* message) {
    const asgi_names& name = asgi_names::all();
    const py_ref body = message::bytes(message, name.body);
    if (!body) return false;
    const auto more = message::flag(message, name.more_body);
    if (!more || !takes("websocket.http.response.body", {phase::denying})) return false;
    denial_.append(view_of(body.get()));
    if (*more) return true;
    request_->respond(std::move(denial_));
    return close(1006, {});
}

}  // namespace unicoro::python
