// SPDX-License-Identifier: MIT
#include "python/wsgi/wsgi_call.hpp"

#include "app/body_refusal.hpp"
#include "base/poison.hpp"
#include "base/text.hpp"
#include "log/log.hpp"
#include "python/runtime/failure_report.hpp"
#include "python/runtime/gil.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/response_length.hpp"
#include "python/runtime/text.hpp"
#include "python/runtime/traceback.hpp"
#include "python/wsgi/client_socket.hpp"
#include "python/wsgi/environ_names.hpp"
#include "python/wsgi/file_wrapper.hpp"
#include "python/wsgi/input.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace unicoro::python {
namespace {

// Up to here a copy of the body is cheaper than keeping the bytes object over the write.
constexpr std::size_t small_body = 8 * 1024;

// What surely does not fit a socket's buffer: sending it takes as long as the client likes.
constexpr std::size_t large_body = 64 * 1024;

bool has_length_one(PyObject* iterable) noexcept {
    const PyTypeObject* const type = Py_TYPE(iterable);
    const bool sized = (type->tp_as_sequence != nullptr && type->tp_as_sequence->sq_length != nullptr) ||
                       (type->tp_as_mapping != nullptr && type->tp_as_mapping->mp_length != nullptr);
    if (!sized) return false;
    const Py_ssize_t length = PyObject_Size(iterable);
    if (length < 0) PyErr_Clear();
    return length == 1;
}

}  // namespace

wsgi_call::wsgi_call(wsgi_runtime& runtime, app::exchange& request, app::loop_meanwhile loop)
    : runtime_(runtime), state_(request) {
    if (request.head().wants_websocket) state_.offer = request.offer_connection(loop);
}

wsgi_call::~wsgi_call() {
    if (!interpreter::running()) {
        // The process ends with requests unfinished: Python's memory is gone already.
        [[maybe_unused]] PyObject* const lost[] = {
            iterable_.release(),
            iterator_.release(),
            chunk_.release(),
            live_input_.release(),
            client_socket_.release()
        };
        (void)starter_.release();
        return;
    }
    if (!inside_ && !chunk_) return;
    const gil_lock gil;
    leave_application();
    chunk_.reset();
}

wsgi_call::step wsgi_call::begin(request_body body, request_io& io) {
    state_.io = &io;
    const gil_lock gil;
    if (!call_application(std::move(body))) return failed();
    return first_step();
}

wsgi_call::step wsgi_call::next() {
    const gil_lock gil;
    chunk_.reset();
    return iterate();
}

void wsgi_call::give_up() {
    const gil_lock gil;
    leave_application();
}

bool wsgi_call::call_application(request_body body) {
    app::exchange& request = state_.request;
    std::optional<std::uint64_t> size;
    py_ref input;
    if (body.live) {
        live_input_ = make_live_input(*state_.io);
        if (!live_input_) return false;
    } else if (body.whole.size() > 0) {
        size = body.whole.size();
        input = make_input(std::move(body.whole));
        if (!input) return false;
    }
    const py_ref environ =
        runtime_.environs.build(request, live_input_ ? live_input_.get() : input.get(), size);
    if (!environ || !offer_socket(environ.get())) return false;
    if (runtime_.starters.empty()) {
        starter_ = std::make_unique<response_starter>();
    } else {
        starter_ = std::move(runtime_.starters.back());
        runtime_.starters.pop_back();
    }
    PyObject* const start_response = starter_->begin(state_);
    inside_ = true;
    if (start_response == nullptr) return false;
    PyObject* const early_hints = starter_->early_hints();
    if (PyDict_SetItem(environ.get(), environ_names::all().wsgi_early_hints, early_hints) != 0) return false;
    const std::array<PyObject*, 3> arguments{nullptr, environ.get(), start_response};
    iterable_ = py_ref::steal(PyObject_Vectorcall(
        runtime_.application.get(), arguments.data() + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr
    ));
    if (interpreter::forked_away()) interpreter::leave_forked();
    if (!request.logged_environ().empty()) note_environ(environ.get());
    return static_cast<bool>(iterable_);
}

wsgi_call::step wsgi_call::first_step() {
    PyObject* const iterable = iterable_.get();
    const bool untouched = !state_.began;
    if (untouched) {
        if (PyList_CheckExact(iterable) || PyTuple_CheckExact(iterable)) {
            return state_.withdraw_offer() ? whole_list() : handed_over();
        }
        if (runtime_.use_sendfile) {
            const step file = whole_file();
            if (file.what != action::none) return file;
        }
    }
    single_ = untouched && has_length_one(iterable);
    iterator_ = py_ref::steal(PyObject_GetIter(iterable));
    if (!iterator_) return failed();
    return iterate();
}

// A list is here as a whole: its length is known, and no Python runs while it is sent.
wsgi_call::step wsgi_call::whole_list() {
    PyObject** const items = PySequence_Fast_ITEMS(iterable_.get());
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(iterable_.get());
    if (!head_given()) return failed();
    std::size_t size = 0;
    for (Py_ssize_t at = 0; at < count; ++at) {
        if (!check_chunk(items[at])) return failed();
        size += view_of(items[at]).size();
    }
    if (count == 1 && size > small_body) {
        chunk_ = py_ref::borrow(items[0]);
    } else {
        std::string body;
        body.reserve(size);
        for (Py_ssize_t at = 0; at < count; ++at) body.append(view_of(items[at]));
        state_.request.respond(std::move(body));
    }
    leave_application();
    step whole;
    if (chunk_) {
        whole.what = action::send;
        whole.bytes = view_of(chunk_.get());
    }
    return whole;
}

// The duplicate of the descriptor lets the application close its file now and the next request
// begin while a slow client still reads. `none` when the body is no file that can be sent.
wsgi_call::step wsgi_call::whole_file() {
    step whole;
    if (!state_.started) return whole;
    std::optional<sendable_file> found = as_sendable_file(iterable_.get());
    if (!found) return whole;
    if (!state_.withdraw_offer()) return handed_over();
    const std::optional<std::uint64_t> announced = state_.request.response().content_length();
    whole.count = std::min(found->count, announced.value_or(found->count));
    if (!announce_length(state_.request.response(), whole.count)) return failed();
    file_ = std::move(found->fd);
    whole.what = whole.count > 0 ? action::send_file : action::finish;
    whole.fd = file_.get();
    whole.offset = found->offset;
    leave_application();
    return whole;
}

wsgi_call::step wsgi_call::iterate() {
    for (;;) {
        py_ref chunk = py_ref::steal(PyIter_Next(iterator_.get()));
        if (interpreter::forked_away()) interpreter::leave_forked();
        if (!chunk) return PyErr_Occurred() != nullptr ? failed() : end_of_body();
        if (state_.connection_taken()) continue;
        if (!check_chunk(chunk.get())) return failed();
        // PEP 3333: the head waits for the first piece that is not empty.
        if (PyBytes_GET_SIZE(chunk.get()) == 0) continue;
        if (!head_given()) return failed();
        if (state_.withdraw_offer()) return take_chunk(std::move(chunk));
    }
}

wsgi_call::step wsgi_call::take_chunk(py_ref chunk) {
    step piece;
    piece.what = action::write;
    const std::size_t size = view_of(chunk.get()).size();
    if (!state_.began) {
        if (single_ && !announce_length(state_.request.response(), size)) return failed();
        const bool whole = state_.request.response().content_length() == size;
        if (whole && size >= large_body) return take_last_chunk(std::move(chunk));
    }
    state_.began = true;
    chunk_ = std::move(chunk);
    piece.bytes = view_of(chunk_.get());
    return piece;
}

// The whole body in one large piece, as frameworks yield it. The iterable is run to its end before
// the piece is sent, so that a slow client does not keep the application from the next request.
wsgi_call::step wsgi_call::take_last_chunk(py_ref chunk) {
    while (const py_ref extra = py_ref::steal(PyIter_Next(iterator_.get()))) {
        if (!check_chunk(extra.get())) return failed();
        if (PyBytes_GET_SIZE(extra.get()) > 0) {
            log_failure("the body is longer than its Content-Length; the rest was dropped");
            break;
        }
    }
    if (PyErr_Occurred() != nullptr) return failed();
    chunk_ = std::move(chunk);
    leave_application();
    step whole;
    whole.what = action::send;
    whole.bytes = view_of(chunk_.get());
    return whole;
}

wsgi_call::step wsgi_call::end_of_body() {
    if (!state_.withdraw_offer()) return handed_over();
    if (!head_given()) return failed();
    step last;
    leave_application();
    if (state_.began) {
        last.what = action::finish;
    } else {
        state_.request.respond({});
    }
    return last;
}

bool wsgi_call::head_given() {
    if (state_.started) return true;
    PyErr_SetString(
        PyExc_AssertionError, "the application gave a body or ended without calling start_response"
    );
    return false;
}

bool wsgi_call::check_chunk(PyObject* chunk) {
    if (PyBytes_Check(chunk)) return true;
    PyErr_Format(
        PyExc_TypeError, "the application's iterable must give bytes, not %.100s", Py_TYPE(chunk)->tp_name
    );
    return false;
}

// The application has spoken with the client itself; what it gives the server is for nobody.
wsgi_call::step wsgi_call::handed_over() noexcept {
    finish_client_socket(client_socket_.get());
    leave_application();
    chunk_.reset();
    return {};
}

// The traceback goes to the log, the server's own page to the client.
wsgi_call::step wsgi_call::failed() {
    const py_ref exception = take_exception();
    if (interpreter::forked_away()) interpreter::leave_forked();
    const error_code unread = state_.io->body_failure();
    const bool taken = !state_.withdraw_offer();
    if (!unread && !is_expected(exception.get())) log_failure({}, exception.get());
    if (taken) return handed_over();
    leave_application();
    chunk_.reset();
    step last;
    if (unread) {
        app::refuse_body(state_.request, unread);
    } else {
        last.what = action::fail;
    }
    return last;
}

// What the server or the client caused is no failure of the application.
bool wsgi_call::is_expected(PyObject* exception) const {
    const request_io& io = *state_.io;
    if (io.cancelled()) return true;
    const bool taken = state_.connection_taken();
    // gunicorn's way to say that nothing is left to be sent.
    if (taken && PyErr_GivenExceptionMatches(exception, PyExc_StopIteration) != 0) return true;
    const bool left = taken || io.client_gone();
    if (!left || !stems_from(exception, PyExc_ConnectionError)) return false;
    log::info("the client went away before its response was complete");
    return true;
}

bool wsgi_call::offer_socket(PyObject* environ) {
    if (!state_.offer) return true;
    client_socket_ = add_client_socket(environ, runtime_.application.get(), state_.offer);
    return static_cast<bool>(client_socket_);
}

void wsgi_call::note_environ(PyObject* environ) {
    for (const std::string& name : state_.request.logged_environ()) {
        PyObject* value = PyDict_GetItemString(environ, name.c_str());
        if (value == nullptr) value = PyDict_GetItemString(environ, base::to_upper(name).c_str());
        if (value == nullptr) continue;
        const py_ref text = py_ref::steal(PyObject_Str(value));
        if (text) {
            state_.request.log_environ(name, to_utf8(text.get()));
        } else {
            PyErr_Clear();
        }
    }
}

// Once: afterwards the callables serve the next request, which may be running already.
void wsgi_call::leave_application() noexcept {
    if (live_input_) end_input(live_input_.get());
    live_input_.reset();
    if (client_socket_ && state_.withdraw_offer()) end_client_socket(client_socket_.get());
    client_socket_.reset();
    if (!std::exchange(inside_, false)) return;
    close_iterable();
    starter_->end();
    if (base::pools_are_on()) runtime_.starters.push_back(std::move(starter_));
    starter_.reset();
}

void wsgi_call::close_iterable() noexcept {
    iterator_.reset();
    if (!iterable_) return;
    const py_ref iterable = std::move(iterable_);
    if (PyList_CheckExact(iterable.get()) || PyTuple_CheckExact(iterable.get())) return;
    const py_ref close = py_ref::steal(PyObject_GetAttrString(iterable.get(), "close"));
    if (!close && PyErr_ExceptionMatches(PyExc_AttributeError) != 0) {
        PyErr_Clear();
        return;
    }
    py_ref closed;
    if (close) closed = py_ref::steal(PyObject_CallNoArgs(close.get()));
    if (interpreter::forked_away()) interpreter::leave_forked();
    if (closed) return;
    const py_ref exception = take_exception();
    if (is_expected(exception.get())) return;
    log_failure("close() of the response failed", exception.get());
}

void wsgi_call::log_failure(std::string_view what, PyObject* exception) const {
    const http::request_head& head = state_.request.head();
    report_failure(
        "Error handling request " + log::escaped(head.method) + ' ' + log::escaped(head.target),
        what,
        exception
    );
}

}  // namespace unicoro::python
