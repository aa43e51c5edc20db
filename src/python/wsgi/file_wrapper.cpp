// SPDX-License-Identifier: MIT
#include "python/wsgi/file_wrapper.hpp"

#include "python/runtime/static_type.hpp"

#include <fcntl.h>
#include <structmember.h>
#include <sys/stat.h>

#include <cstddef>

namespace unicoro::python {
namespace {

constexpr Py_ssize_t default_block = 8192;

struct wrapper_object {
    PyObject_HEAD PyObject* filelike;
    Py_ssize_t block_size;
};

wrapper_object& self_of(PyObject* object) noexcept {
    return *reinterpret_cast<wrapper_object*>(object);
}

int init(PyObject* object, PyObject* arguments, PyObject* keywords) {
    static const char* names[] = {"filelike", "blksize", nullptr};
    PyObject* filelike = nullptr;
    Py_ssize_t block_size = default_block;
    if (PyArg_ParseTupleAndKeywords(
            arguments, keywords, "O|n:FileWrapper", const_cast<char**>(names), &filelike, &block_size
        ) == 0) {
        return -1;
    }
    wrapper_object& self = self_of(object);
    Py_INCREF(filelike);
    Py_XSETREF(self.filelike, filelike);
    self.block_size = block_size > 0 ? block_size : default_block;
    return 0;
}

PyObject* next_block(PyObject* object) {
    wrapper_object& self = self_of(object);
    if (self.filelike == nullptr) return nullptr;
    py_ref block = py_ref::steal(PyObject_CallMethod(self.filelike, "read", "n", self.block_size));
    if (!block) return nullptr;
    const int more = PyObject_IsTrue(block.get());
    return more > 0 ? block.release() : nullptr;
}

PyObject* close(PyObject* object, PyObject*) {
    wrapper_object& self = self_of(object);
    if (self.filelike == nullptr) Py_RETURN_NONE;
    const py_ref method = py_ref::steal(PyObject_GetAttrString(self.filelike, "close"));
    if (!method) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError) == 0) return nullptr;
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return PyObject_CallNoArgs(method.get());
}

int traverse(PyObject* object, visitproc visit, void* arg) {
    Py_VISIT(self_of(object).filelike);
    return 0;
}

int clear(PyObject* object) {
    Py_CLEAR(self_of(object).filelike);
    return 0;
}

void dealloc(PyObject* object) {
    PyObject_GC_UnTrack(object);
    clear(object);
    Py_TYPE(object)->tp_free(object);
}

PyTypeObject& wrapper_type() noexcept {
    static PyTypeObject type{};
    return type;
}

/// One attribute of the io module.
py_ref io_type(const char* name) noexcept {
    const py_ref io = py_ref::steal(PyImport_ImportModule("io"));
    return io ? py_ref::steal(PyObject_GetAttrString(io.get(), name)) : py_ref();
}

bool is_plain_file(PyObject* file) noexcept {
    for (const char* name : {"BufferedReader", "FileIO", "BufferedRandom"}) {
        const py_ref type = io_type(name);
        if (!type) return false;
        if (reinterpret_cast<PyObject*>(Py_TYPE(file)) != type.get()) continue;
        // What was written to a read-write file may still be in its buffer.
        const py_ref flushed = py_ref::steal(PyObject_CallMethod(file, "flush", nullptr));
        return static_cast<bool>(flushed);
    }
    return false;
}

std::optional<long long> ask_number(PyObject* file, const char* method) noexcept {
    const py_ref answer = py_ref::steal(PyObject_CallMethod(file, method, nullptr));
    if (!answer) return std::nullopt;
    const long long number = PyLong_AsLongLong(answer.get());
    if (number < 0) return std::nullopt;
    return number;
}

std::optional<sendable_file> describe(PyObject* file) noexcept {
    if (!is_plain_file(file)) return std::nullopt;
    const auto fd = ask_number(file, "fileno");
    if (!fd) return std::nullopt;
    const auto position = ask_number(file, "tell");
    if (!position) return std::nullopt;
    struct stat about{};
    if (::fstat(static_cast<int>(*fd), &about) != 0 || !S_ISREG(about.st_mode)) return std::nullopt;
    sendable_file found;
    found.fd.reset(::fcntl(static_cast<int>(*fd), F_DUPFD_CLOEXEC, 0));
    if (!found.fd) return std::nullopt;
    found.offset = static_cast<std::uint64_t>(*position);
    if (about.st_size > *position) found.count = static_cast<std::uint64_t>(about.st_size - *position);
    return found;
}

}  // namespace

PyObject* file_wrapper_type() {
    PyTypeObject& type = wrapper_type();
    static PyMethodDef methods[] = {
        {"close", &close, METH_NOARGS, "Closes the file-like object, if it can be closed."},
        {nullptr, nullptr, 0, nullptr},
    };
    static PyMemberDef members[] = {
        {"filelike", T_OBJECT_EX, offsetof(wrapper_object, filelike), READONLY, "what is read"},
        {"blksize", T_PYSSIZET, offsetof(wrapper_object, block_size), READONLY, "bytes per read"},
        {nullptr, 0, 0, 0, nullptr},
    };
    if (begin_type(
            type,
            "unicoro.FileWrapper",
            sizeof(wrapper_object),
            &dealloc,
            "FileWrapper(filelike, blksize=8192): a response body read from a file."
        )) {
        type.tp_flags |= Py_TPFLAGS_HAVE_GC;
        type.tp_new = &PyType_GenericNew;
        type.tp_init = &init;
        type.tp_traverse = &traverse;
        type.tp_clear = &clear;
        type.tp_iter = &PyObject_SelfIter;
        type.tp_iternext = &next_block;
        type.tp_methods = methods;
        type.tp_members = members;
    }
    return reinterpret_cast<PyObject*>(ready_type(type));
}

std::optional<sendable_file> as_sendable_file(PyObject* iterable) noexcept {
    if (Py_TYPE(iterable) != &wrapper_type()) return std::nullopt;
    PyObject* const file = self_of(iterable).filelike;
    if (file == nullptr) return std::nullopt;
    std::optional<sendable_file> found = describe(file);
    if (!found) PyErr_Clear();
    return found;
}

}  // namespace unicoro::python
