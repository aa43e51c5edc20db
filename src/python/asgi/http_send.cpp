// SPDX-License-Identifier: MIT
#include "python/asgi/asgi_names.hpp"
#include "python/asgi/awaitables.hpp"
#include "python/asgi/http_call.hpp"
#include "python/asgi/message.hpp"
#include "python/runtime/response_length.hpp"
#include "python/runtime/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

namespace unicoro::python {
namespace {

// Up to here a copy of the bytes is cheaper than keeping their object over the write.
constexpr std::size_t small_piece = 16 * 1024;

// More than this on its way to the client: send() waits.
constexpr std::size_t high_water = 64 * 1024;

}  // namespace

py_ref http_call::send(PyObject* message) {
    const auto type = message::type_of(message);
    if (!type) return {};
    bool taken = false;
    if (*type == "http.response.start") {
        taken = take_start(message);
    } else if (*type == "http.response.body") {
        taken = take_body(message);
    } else if (*type == "http.response.early_hint") {
        taken = take_hint(message);
    } else if (*type == "http.response.pathsend") {
        taken = take_file(message);
    } else {
        PyErr_Format(
            PyExc_ValueError, "the message type '%.100s' is unknown here (scope type 'http')", type->data()
        );
    }
    if (!taken) return {};
    if (ended_ || unsent_ <= high_water) return sent_already();
    return wait_until_sent(coroutine());
}

asgi_call::progress http_call::sent() {
    if (ended_) return progress::ready;
    if (!attended()) {
        [[maybe_unused]] const py_ref nothing = client_gone();
        return progress::failed;
    }
    return unsent_ <= high_water ? progress::ready : progress::pending;
}

// Whether a message fits here and now. With what it says at hand: no code of the application runs
// between this and its taking.
bool http_call::takes(const char* type, phase wanted) {
    if (ended_) {
        PyErr_Format(PyExc_RuntimeError, "the message '%s' comes after the end of the response", type);
    } else if (!attended() || phase_ == phase::complete) {
        [[maybe_unused]] const py_ref nothing = client_gone();
    } else if (phase_ == wanted) {
        return true;
    } else if (wanted == phase::start) {
        PyErr_Format(PyExc_RuntimeError, "the message '%s' comes after http.response.start", type);
    } else {
        PyErr_Format(PyExc_RuntimeError, "the message '%s' comes before http.response.start", type);
    }
    return false;
}

bool http_call::take_start(PyObject* message) {
    const std::optional<bool> trailers = message::flag(message, asgi_names::all().trailers);
    if (!trailers) return false;
    if (*trailers) {
        PyErr_SetString(
            PyExc_ValueError, "trailers are not among this server's extensions (scope['extensions'])"
        );
        return false;
    }
    if (!takes("http.response.start", phase::start)) return false;
    // With the memory it has kept from earlier requests.
    http::response_head head = std::move(request_->response());
    if (!message::fill_head(head, message) || !takes("http.response.start", phase::start)) return false;
    request_->response() = std::move(head);
    phase_ = phase::body;
    return true;
}

bool http_call::take_hint(PyObject* message) {
    http::response_head hints;
    if (!message::add_links(hints, message) || !takes("http.response.early_hint", phase::start)) return false;
    request_->hint(hints);
    return true;
}

bool http_call::take_body(PyObject* message) {
    const asgi_names& name = asgi_names::all();
    py_ref body = message::bytes(message, name.body);
    if (!body) return false;
    const std::optional<bool> more = message::flag(message, name.more_body);
    if (!more || !takes("http.response.body", phase::body)) return false;
    const std::size_t size = view_of(body.get()).size();
    if (!*more && !streamed_ && pieces_.empty() && size <= small_piece) {
        request_->respond(std::string(view_of(body.get())));
        complete();
        return true;
    }
    if (size > 0) take_piece(std::move(body));
    if (!*more) {
        complete();
    } else if (size > 0) {
        ring();
    }
    return true;
}

void http_call::take_piece(py_ref body) {
    const std::string_view bytes = view_of(body.get());
    unsent_ += bytes.size();
    if (bytes.size() > small_piece) {
        pieces_.emplace_back().held = body.release();
        return;
    }
    const bool first_is_busy = writing_ && pieces_.size() == 1;
    const bool joins = !pieces_.empty() && !first_is_busy && pieces_.back().held == nullptr &&
                       pieces_.back().copied.size() + bytes.size() <= high_water;
    if (!joins) pieces_.emplace_back();
    pieces_.back().copied.append(bytes);
}

void http_call::complete() {
    phase_ = phase::complete;
    ended_ = true;
    ring();
    tell_waiting();
}

bool http_call::take_file(PyObject* message) {
    PyObject* const key = asgi_names::all().path;
    PyObject* const path = message::item(message, key);
    if (path == nullptr) {
        if (PyErr_Occurred() == nullptr) {
            PyErr_SetString(PyExc_ValueError, "http.response.pathsend has no 'path'");
        }
        return false;
    }
    PyObject* converted = nullptr;
    if (PyUnicode_FSConverter(path, static_cast<void*>(&converted)) == 0) return false;
    const py_ref name = py_ref::steal(converted);
    const char* const text = PyBytes_AS_STRING(name.get());
    if (text[0] != '/') {
        PyErr_Format(PyExc_ValueError, "'path' must be absolute, it is %R", path);
        return false;
    }
    os::unique_fd opened(::open(text, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat about{};
    if (!opened || ::fstat(opened.get(), &about) != 0) {
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
        return false;
    }
    if (!S_ISREG(about.st_mode)) {
        PyErr_Format(PyExc_ValueError, "'path' must be that of a regular file, it is %R", path);
        return false;
    }
    if (!takes("http.response.pathsend", phase::body)) return false;
    file_size_ = static_cast<std::uint64_t>(about.st_size);
    if (!streamed_ && pieces_.empty() && !announce_length(request_->response(), file_size_)) {
        return false;
    }
    if (file_size_ > 0) {
        file_ = std::move(opened);
    } else if (pieces_.empty() && !streamed_) {
        request_->respond({});
    }
    complete();
    return true;
}

}  // namespace unicoro::python
