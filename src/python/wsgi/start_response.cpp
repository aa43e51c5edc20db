// SPDX-License-Identifier: MIT
#include "python/wsgi/start_response.hpp"

#include "python/runtime/forked_child.hpp"
#include "python/runtime/static_type.hpp"
#include "python/runtime/text.hpp"
#include "python/wsgi/response_fields.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace unicoro::python {
namespace {

/// All callables look the same: what they do is in `call`.
struct callable_object {
    PyObject_HEAD vectorcallfunc call;
    response_state* state;  // null when the request is over
    PyObject* write;        // borrowed: what start_response returns; lives at least as long
};

callable_object& self_of(PyObject* object) noexcept {
    return *reinterpret_cast<callable_object*>(object);
}

/// Positional and keyword arguments of start_response, in order.
struct start_arguments {
    PyObject* status = nullptr;
    PyObject* headers = nullptr;
    PyObject* exc_info = nullptr;
};

PyObject** slot_of(start_arguments& into, PyObject* name) noexcept {
    if (PyUnicode_CompareWithASCIIString(name, "status") == 0) return &into.status;
    if (PyUnicode_CompareWithASCIIString(name, "exc_info") == 0) return &into.exc_info;
    for (const char* spelling : {"headers", "response_headers"}) {
        if (PyUnicode_CompareWithASCIIString(name, spelling) == 0) return &into.headers;
    }
    return nullptr;
}

bool read_arguments(
    PyObject* const* arguments, Py_ssize_t positional, PyObject* names, start_arguments& into
) noexcept {
    const std::array<PyObject**, 3> order{&into.status, &into.headers, &into.exc_info};
    const auto given = static_cast<std::size_t>(positional);
    bool good = given <= order.size();
    for (std::size_t at = 0; good && at < given; ++at) *order[at] = arguments[at];
    const Py_ssize_t named = names != nullptr ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t at = 0; good && at < named; ++at) {
        PyObject** const slot = slot_of(into, PyTuple_GET_ITEM(names, at));
        good = slot != nullptr && *slot == nullptr;
        if (good) *slot = arguments[positional + at];
    }
    if (good && into.status != nullptr && into.headers != nullptr) return true;
    PyErr_SetString(
        PyExc_TypeError, "start_response(status, headers, exc_info=None) was called with other arguments"
    );
    return false;
}

/// PEP 3333: a second call must report an error, and can only replace a head that is not sent yet.
bool may_start(response_state& state, PyObject* exc_info) noexcept {
    const bool reported = exc_info != nullptr && exc_info != Py_None;
    if (reported && (!PyTuple_Check(exc_info) || PyTuple_GET_SIZE(exc_info) != 3 ||
                     !PyExceptionClass_Check(PyTuple_GET_ITEM(exc_info, 0)))) {
        PyErr_SetString(PyExc_TypeError, "exc_info must be what sys.exc_info() returns");
        return false;
    }
    if (reported && (state.began || state.request.head_sent())) {
        PyErr_SetObject(PyTuple_GET_ITEM(exc_info, 0), PyTuple_GET_ITEM(exc_info, 1));
        return false;
    }
    if (state.started && !reported) {
        PyErr_SetString(PyExc_AssertionError, "start_response was called a second time without exc_info");
        return false;
    }
    return true;
}

PyObject* after_the_end() noexcept {
    PyErr_SetString(PyExc_RuntimeError, "start_response was called after the end of its request");
    return nullptr;
}

PyObject* start_response(PyObject* callable, PyObject* const* arguments, std::size_t count, PyObject* names) {
    callable_object& self = self_of(callable);
    start_arguments given;
    if (!read_arguments(arguments, PyVectorcall_NARGS(count), names, given)) return nullptr;
    if (self.state == nullptr) return after_the_end();
    response_state& state = *self.state;
    if (!may_start(state, given.exc_info)) return nullptr;
    // With the memory it has kept from earlier requests. Headers that are made as they are asked for run
    // code, which may wait: by its end the request, and what it has lent, may be another one's.
    http::response_head head = std::move(state.request.response());
    const bool filled = fill_response_head(head, given.status, given.headers);
    if (self.state == nullptr) return filled ? after_the_end() : nullptr;
    state.started = filled;
    if (!filled) return nullptr;
    state.request.response() = std::move(head);
    Py_INCREF(self.write);
    return self.write;
}

PyObject* write_body(PyObject* callable, PyObject* const* arguments, std::size_t count, PyObject* names) {
    callable_object& self = self_of(callable);
    if (PyVectorcall_NARGS(count) != 1 || (names != nullptr && PyTuple_GET_SIZE(names) > 0)) {
        PyErr_SetString(PyExc_TypeError, "write(data) takes one argument");
        return nullptr;
    }
    PyObject* const data = arguments[0];
    if (!PyBytes_Check(data)) {
        PyErr_Format(PyExc_TypeError, "write(data) takes bytes, not %.100s", Py_TYPE(data)->tp_name);
        return nullptr;
    }
    if (self.state == nullptr) {
        PyErr_SetString(PyExc_RuntimeError, "write was called after the end of its request");
        return nullptr;
    }
    if (refuse_forked()) return nullptr;
    const std::string_view piece = view_of(data);
    if (!piece.empty() && self.state->withdraw_offer()) {
        self.state->began = true;
        if (!self.state->io->write(piece, data)) return nullptr;
    }
    Py_RETURN_NONE;
}

/// gunicorn's: once it is too late nothing is sent, and nothing is raised.
PyObject* send_hints(PyObject* callable, PyObject* const* arguments, std::size_t count, PyObject* names) {
    callable_object& self = self_of(callable);
    if (PyVectorcall_NARGS(count) != 1 || (names != nullptr && PyTuple_GET_SIZE(names) > 0)) {
        PyErr_SetString(PyExc_TypeError, "wsgi.early_hints(headers) takes one argument");
        return nullptr;
    }
    if (refuse_forked()) return nullptr;
    http::response_head hints;
    if (!fill_hints(hints, arguments[0])) return nullptr;
    // Headers that are made as they are asked for run code, by whose end the request may be over.
    const response_state* const state = self.state;
    if (state != nullptr && !state->offer && !state->began && !state->io->hint(hints)) return nullptr;
    Py_RETURN_NONE;
}

void dealloc(PyObject* object) {
    PyObject_Free(object);
}

PyTypeObject* callable_type() noexcept {
    static PyTypeObject type{};
    if (begin_type(
            type,
            "unicoro.ResponseCallable",
            sizeof(callable_object),
            &dealloc,
            "start_response(status, headers, exc_info=None) or write(data), see PEP 3333; or "
            "wsgi.early_hints(headers)."
        )) {
        type.tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
        type.tp_vectorcall_offset = offsetof(callable_object, call);
        type.tp_call = &PyVectorcall_Call;
    }
    return ready_type(type);
}

py_ref make_callable(vectorcallfunc call) noexcept {
    py_ref made = new_object<callable_object>(callable_type());
    if (!made) return {};
    callable_object& self = self_of(made.get());
    self.call = call;
    self.state = nullptr;
    self.write = nullptr;
    return made;
}

}  // namespace

bool response_starter::prepare() noexcept {
    // A kept write is harmless, but its start_response must not hand it out to another request.
    if (start_ && Py_REFCNT(start_.get()) == 1 && Py_REFCNT(write_.get()) == 1 &&
        Py_REFCNT(hints_.get()) == 1) {
        return true;
    }
    start_ = make_callable(&start_response);
    write_ = make_callable(&write_body);
    hints_ = make_callable(&send_hints);
    return start_ && write_ && hints_;
}

PyObject* response_starter::begin(response_state& state) noexcept {
    if (!prepare()) return nullptr;
    callable_object& start = self_of(start_.get());
    start.state = &state;
    start.write = write_.get();
    self_of(write_.get()).state = &state;
    self_of(hints_.get()).state = &state;
    return start_.get();
}

void response_starter::end() noexcept {
    if (!start_) return;
    self_of(start_.get()).state = nullptr;
    self_of(write_.get()).state = nullptr;
    self_of(hints_.get()).state = nullptr;
    // One that the application kept may outlive this pair; it does not touch `write` without a
    // state.
    self_of(start_.get()).write = nullptr;
}

}  // namespace unicoro::python
