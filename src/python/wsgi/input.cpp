// SPDX-License-Identifier: MIT
#include "python/wsgi/input.hpp"

#include "python/runtime/forked_child.hpp"
#include "python/runtime/method.hpp"
#include "python/runtime/static_type.hpp"
#include "python/runtime/text.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace unicoro::python {
namespace {

struct input_object {
    PyObject_HEAD app::spooled_body body;
    std::string kept;              // of a live body: what came and was not taken, and before it what was
    std::string_view left;         // at hand
    request_io* source = nullptr;  // the rest of a live body; null when all is here
};

// What is read at once where the application does not say how much it wants.
constexpr std::size_t piece_size = 64 * 1024;

input_object& self_of(PyObject* object) noexcept {
    return *reinterpret_cast<input_object*>(object);
}

std::size_t size_of(const py_ref& bytes) noexcept {
    return view_of(bytes.get()).size();
}

/// Waits for the next `least` bytes of a live body, or what is left of it, as bytes; others may read it
/// meanwhile. Null with an exception set.
py_ref pull(input_object& self, std::size_t least, std::size_t most) {
    if (refuse_forked()) return {};
    py_ref piece = self.source->read(least, most);
    if (piece && size_of(piece) < least) self.source = nullptr;
    return piece;
}

/// Puts it behind what is left.
void keep(input_object& self, const py_ref& piece) {
    self.kept.erase(0, self.kept.size() - self.left.size());
    self.kept.append(view_of(piece.get()));
    self.left = self.kept;
}

/// Has `count` bytes, or all that there are: in `piece` when nothing else is at hand, else in `left`.
/// False with an exception set.
bool ensure(input_object& self, std::size_t count, py_ref& piece) {
    while (self.source != nullptr && self.left.size() < count) {
        const std::size_t missing = count - self.left.size();
        py_ref come = pull(self, missing, missing);
        if (!come) return false;
        const bool enough = self.source == nullptr || size_of(come) >= count;
        if (self.left.empty() && enough) {
            piece = std::move(come);
            return true;
        }
        keep(self, come);
    }
    return true;
}

/// Has some more at hand, or all that there are. False with an exception set.
bool ensure_more(input_object& self) {
    const py_ref piece = pull(self, 1, piece_size);
    if (piece) keep(self, piece);
    return static_cast<bool>(piece);
}

PyObject* take(input_object& self, std::size_t count) noexcept {
    const std::string_view piece = self.left.substr(0, count);
    py_ref bytes = bytes_of(piece);
    if (bytes) self.left.remove_prefix(piece.size());
    return bytes.release();
}

/// The optional size argument: None and negative numbers mean "everything".
bool read_limit(PyObject* const* arguments, Py_ssize_t count, std::size_t& limit) noexcept {
    limit = std::string_view::npos;
    if (count > 1) {
        PyErr_Format(PyExc_TypeError, "expected at most 1 argument, got %zd", count);
        return false;
    }
    if (count == 0 || arguments[0] == Py_None) return true;
    const Py_ssize_t size = PyNumber_AsSsize_t(arguments[0], PyExc_OverflowError);
    if (size == -1 && PyErr_Occurred() != nullptr) return false;
    if (size >= 0) limit = static_cast<std::size_t>(size);
    return true;
}

/// The next line with its newline, `limit` bytes at most; empty at the end.
PyObject* take_line(input_object& self, std::size_t limit) {
    std::size_t searched = 0;
    for (;;) {
        const std::string_view window = self.left.substr(0, limit);
        const std::size_t end = window.find('\n', searched);
        if (end != std::string_view::npos) return take(self, end + 1);
        if (self.source == nullptr || window.size() == limit) return take(self, window.size());
        searched = window.size();
        if (!ensure_more(self)) return nullptr;
    }
}

PyObject* read(PyObject* object, PyObject* const* arguments, Py_ssize_t count) {
    std::size_t limit = 0;
    if (!read_limit(arguments, count, limit)) return nullptr;
    input_object& self = self_of(object);
    py_ref piece;
    if (!ensure(self, limit, piece)) return nullptr;
    return piece ? piece.release() : take(self, limit);
}

/// What is at hand, waiting only when that is nothing.
PyObject* read1(PyObject* object, PyObject* const* arguments, Py_ssize_t count) {
    std::size_t limit = 0;
    if (!read_limit(arguments, count, limit)) return nullptr;
    input_object& self = self_of(object);
    if (limit > 0 && self.left.empty() && self.source != nullptr) {
        return pull(self, 1, std::min(limit, piece_size)).release();
    }
    return take(self, limit);
}

PyObject* readline(PyObject* object, PyObject* const* arguments, Py_ssize_t count) {
    std::size_t limit = 0;
    if (!read_limit(arguments, count, limit)) return nullptr;
    return take_line(self_of(object), limit);
}

PyObject* next_line(PyObject* object) {
    input_object& self = self_of(object);
    if (self.left.empty() && self.source != nullptr && !ensure_more(self)) return nullptr;
    if (self.left.empty()) return nullptr;
    return take_line(self, std::string_view::npos);
}

/// As in io, the hint bounds the bytes of the lines before the last one, and 0 is no bound either.
PyObject* readlines(PyObject* object, PyObject* const* arguments, Py_ssize_t count) {
    std::size_t hint = 0;
    if (!read_limit(arguments, count, hint)) return nullptr;
    if (hint == 0) hint = std::string_view::npos;
    py_ref lines = py_ref::steal(PyList_New(0));
    if (!lines) return nullptr;
    input_object& self = self_of(object);
    std::size_t total = 0;
    while (total < hint) {
        const py_ref line = py_ref::steal(take_line(self, std::string_view::npos));
        if (!line) return nullptr;
        if (PyBytes_GET_SIZE(line.get()) == 0) break;
        if (PyList_Append(lines.get(), line.get()) != 0) return nullptr;
        total += static_cast<std::size_t>(PyBytes_GET_SIZE(line.get()));
    }
    return lines.release();
}

PyObject* readinto(PyObject* object, PyObject* target) {
    Py_buffer buffer;
    if (PyObject_GetBuffer(target, &buffer, PyBUF_WRITABLE) != 0) return nullptr;
    input_object& self = self_of(object);
    const auto wanted = static_cast<std::size_t>(buffer.len);
    py_ref piece;
    const bool good = ensure(self, wanted, piece);
    const std::string_view come = piece ? view_of(piece.get()) : self.left;
    const std::size_t size = good ? std::min(wanted, come.size()) : 0;
    if (size > 0) std::memcpy(buffer.buf, come.data(), size);
    if (!piece) self.left.remove_prefix(size);
    PyBuffer_Release(&buffer);
    return good ? PyLong_FromSize_t(size) : nullptr;
}

PyObject* yes(PyObject*, PyObject*) {
    Py_RETURN_TRUE;
}
PyObject* no(PyObject*, PyObject*) {
    Py_RETURN_FALSE;
}
PyObject* nothing(PyObject*, PyObject*) {
    Py_RETURN_NONE;
}
PyObject* not_closed(PyObject*, void*) {
    Py_RETURN_FALSE;
}

void dealloc(PyObject* object) {
    input_object& self = self_of(object);
    self.body.~spooled_body();
    self.kept.~basic_string();
    PyObject_Free(object);
}

PyTypeObject* input_type() {
    static PyTypeObject type{};
    static PyMethodDef methods[] = {
        {"read", fast(&read), METH_FASTCALL, "read(size=-1) -> bytes"},
        {"read1", fast(&read1), METH_FASTCALL, "read1(size=-1) -> bytes"},
        {"readline", fast(&readline), METH_FASTCALL, "readline(size=-1) -> bytes"},
        {"readlines", fast(&readlines), METH_FASTCALL, "readlines(hint=-1) -> list of bytes"},
        {"readinto", &readinto, METH_O, "readinto(buffer) -> int"},
        {"readable", &yes, METH_NOARGS, "True"},
        {"writable", &no, METH_NOARGS, "False"},
        {"seekable", &no, METH_NOARGS, "False"},
        {"flush", &nothing, METH_NOARGS, "Does nothing."},
        {"close", &nothing, METH_NOARGS, "Does nothing: the input belongs to the server (PEP 3333)."},
        {nullptr, nullptr, 0, nullptr},
    };
    static PyGetSetDef attributes[] = {
        {"closed", &not_closed, nullptr, "False", nullptr},
        {nullptr, nullptr, nullptr, nullptr, nullptr},
    };
    if (begin_type(type, "unicoro.Input", sizeof(input_object), &dealloc, "The request body (wsgi.input).")) {
        type.tp_methods = methods;
        type.tp_getset = attributes;
        type.tp_iter = &PyObject_SelfIter;
        type.tp_iternext = &next_line;
    }
    return ready_type(type);
}

py_ref make(app::spooled_body body) {
    py_ref made = new_object<input_object>(input_type());
    if (!made) return {};
    input_object& self = self_of(made.get());
    new (&self.body) app::spooled_body(std::move(body));
    new (&self.kept) std::string();
    new (&self.left) std::string_view();
    self.source = nullptr;
    return made;
}

}  // namespace

py_ref make_input(app::spooled_body body) {
    py_ref made = make(std::move(body));
    if (!made) return {};
    input_object& self = self_of(made.get());
    const result<std::string_view> bytes = self.body.view();
    if (!bytes) {
        PyErr_Format(PyExc_OSError, "cannot map the request body: %s", bytes.error().message().c_str());
        return {};
    }
    self.left = *bytes;
    return made;
}

py_ref make_live_input(request_io& source) {
    py_ref made = make(app::spooled_body());
    if (made) self_of(made.get()).source = &source;
    return made;
}

void end_input(PyObject* live_input) noexcept {
    self_of(live_input).source = nullptr;
}

py_ref empty_input() {
    return make_input(app::spooled_body());
}

}  // namespace unicoro::python
