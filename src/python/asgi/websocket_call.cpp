// SPDX-License-Identifier: MIT
#include "python/asgi/websocket_call.hpp"

#include "python/asgi/asgi_application.hpp"
#include "python/asgi/asgi_names.hpp"
#include "python/runtime/dict.hpp"
#include "python/runtime/text.hpp"

#include <utility>

namespace unicoro::python {
namespace {

py_ref received(const app::websocket_message& arrived) {
    const asgi_names& name = asgi_names::all();
    const bool text = arrived.type == app::websocket_message::kind::text;
    py_ref message = py_ref::steal(PyDict_New());
    const py_ref data = text ? utf8(arrived.data) : bytes_of(arrived.data);
    if (!message || !put(message.get(), name.type, name.websocket_receive) ||
        !put(message.get(), text ? name.text : name.bytes, data)) {
        return {};
    }
    return message;
}

}  // namespace

py_ref websocket_call::make_scope() {
    return application_.scopes().websocket(*request_, application_.state());
}

asgi_call::progress websocket_call::receive(py_ref& message) {
    const asgi_names& name = asgi_names::all();
    if (!connect_told_) {
        connect_told_ = true;
        message = py_ref::steal(PyDict_New());
        if (!message || !put(message.get(), name.type, name.websocket_connect)) message.reset();
        return ready_if(message);
    }
    if (attended()) {
        if (phase_ == phase::open) return receive_message(message);
        if (phase_ != phase::closed) return progress::pending;
    }
    message = disconnect();
    return ready_if(message);
}

asgi_call::progress websocket_call::receive_message(py_ref& message) {
    if (reading()) return progress::pending;
    std::optional<app::websocket_message> next = std::exchange(arrived_, std::nullopt);
    if (!next) next = socket_->try_receive();
    if (next) {
        message = received(*next);
        return ready_if(message);
    }
    if (!socket_->ended()) {
        start_reading(read_more(*socket_));
        return progress::pending;
    }
    how_ = *socket_->ended();
    message = disconnect();
    end();
    return ready_if(message);
}

py_ref websocket_call::disconnect() {
    const asgi_names& name = asgi_names::all();
    const app::websocket_close how = how_.value_or(app::websocket_close{});
    py_ref message = py_ref::steal(PyDict_New());
    const py_ref code = py_ref::steal(PyLong_FromLong(how.code));
    const py_ref reason = utf8(how.reason);
    if (!message || !put(message.get(), name.type, name.websocket_disconnect) ||
        !put(message.get(), name.code, code) || !put(message.get(), name.reason, reason)) {
        return {};
    }
    return message;
}

// The coroutine may leave; what the application still sends finds nobody.
void websocket_call::end() {
    phase_ = phase::closed;
    ended_ = true;
    socket_ = nullptr;
    ring();
    tell_waiting();
}

// Whoever closes or ends it meanwhile forgets it here, while it lives on in the exchange.
awaitable<void> websocket_call::read_more(app::websocket& socket) {
    std::optional<app::websocket_message> next = co_await socket.receive();
    arrived_ = std::move(next);
}

awaitable<void> websocket_call::run_errand() {
    if (std::exchange(accept_due_, false)) {
        co_await accept();
    } else if (std::exchange(flush_due_, false) && socket_ != nullptr) {
        app::websocket& socket = *socket_;
        [[maybe_unused]] const error_code failed = co_await socket.flush();
    }
}

awaitable<void> websocket_call::accept() {
    const result<std::shared_ptr<app::websocket>> accepted =
        co_await request_->accept_websocket(subprotocol_);
    if (accepted) {
        socket_ = accepted->get();
        phase_ = phase::open;
        co_return;
    }
    accept_failed_ = accepted.error();
    if (accept_failed_ == errc::invalid_subprotocol) {
        phase_ = phase::connecting;
    } else {
        gone_ = true;
    }
}

void websocket_call::leaving() {
    if (failed_) request_->fail(500, "");
    socket_ = nullptr;
}

void websocket_call::concluded(ending how) {
    if (request_ == nullptr || gone_ || phase_ == phase::closed) return;
    if (phase_ == phase::open) {
        constexpr std::uint16_t normal = 1000;
        constexpr std::uint16_t failure = 1011;
        [[maybe_unused]] const error_code closed =
            socket_->close(how == ending::returned ? normal : failure, "");
    } else {
        if (how == ending::returned) {
            log_failure("the application returned without accepting or closing the WebSocket");
        }
        failed_ = true;
    }
    end();
}

}  // namespace unicoro::python
