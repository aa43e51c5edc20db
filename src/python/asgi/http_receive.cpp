// SPDX-License-Identifier: MIT
#include "app/body_refusal.hpp"
#include "python/asgi/asgi_names.hpp"
#include "python/asgi/http_call.hpp"
#include "python/runtime/dict.hpp"
#include "python/runtime/text.hpp"

#include <cstring>
#include <span>

namespace unicoro::python {
namespace {

// What a read that has to wait takes at once; the rest of a message is read without waiting.
constexpr std::size_t read_size = 16 * 1024;

py_ref disconnect() {
    const asgi_names& name = asgi_names::all();
    py_ref message = py_ref::steal(PyDict_New());
    if (!message || !put(message.get(), name.type, name.http_disconnect)) return {};
    return message;
}

py_ref body_message(std::string_view bytes, bool more) {
    const asgi_names& name = asgi_names::all();
    py_ref message = py_ref::steal(PyDict_New());
    const py_ref body = bytes.empty() ? py_ref::borrow(name.no_bytes) : bytes_of(bytes);
    if (!message || !put(message.get(), name.type, name.http_request) ||
        !put(message.get(), name.body, body) ||
        !put(message.get(), name.more_body, more ? Py_True : Py_False)) {
        return {};
    }
    return message;
}

}  // namespace

asgi_call::progress http_call::receive(py_ref& message) {
    if (attended() && phase_ != phase::complete && !(told_ && body_done_)) {
        if (!body_done_) return receive_body(message);
        if (!reading()) start_reading(watch());
        return progress::pending;
    }
    message = disconnect();
    return ready_if(message);
}

// Of what is here already, the end of the body included, one message; else waits for more.
asgi_call::progress http_call::receive_body(py_ref& message) {
    if (reading()) return progress::pending;
    const std::span<char> room = loop_.room();
    std::size_t size = 0;
    bool ended = !take_arrived(size);
    error_code failed = read_result_ && !*read_result_ ? read_result_->error() : error_code();
    read_result_.reset();
    while (!ended && !failed && size < room.size()) {
        const auto taken = request_->try_read_body(room.subspan(size));
        if (!taken) break;
        if (!*taken) {
            failed = taken->error();
        } else {
            ended = **taken == 0;
            size += **taken;
        }
    }
    if (failed) {
        refuse(failed);
        message = disconnect();
        return ready_if(message);
    }
    if (size == 0 && !ended) {
        start_reading(read_more());
        return progress::pending;
    }
    body_done_ = ended;
    message = body_message({room.data(), size}, !ended);
    return ready_if(message);
}

// False at the end of the body.
bool http_call::take_arrived(std::size_t& size) {
    if (!read_result_ || !*read_result_) return true;
    size = **read_result_;
    if (size > 0) std::memcpy(loop_.room().data(), buffer_.get(), size);
    return size > 0;
}

// The server's own answer, as far as there can be one; the application is told that it is over.
void http_call::refuse(error_code why) {
    if (phase_ == phase::start) {
        refuse_body(*request_, why);
    } else {
        failed_ = true;
    }
    phase_ = phase::complete;
    gone_ = true;
    ring();
}

awaitable<void> http_call::read_more() {
    if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(read_size);
    const std::span<char> into(buffer_.get(), read_size);
    const result<std::size_t> taken = co_await request_->read_body(into);
    read_result_ = taken;
}

awaitable<void> http_call::watch() {
    app::exchange& request = *request_;
    co_await request.wait_disconnect();
    if (request.disconnected()) gone_ = true;
}

}  // namespace unicoro::python
