// SPDX-License-Identifier: MIT
// Awaitables that are coroutines in the eyes of asyncio (send, throw, close), so that applications can
// make tasks of them. What needs no waiting needs no Future.
#include "python/asgi/awaitables.hpp"

#include "python/asgi/asgi_call.hpp"
#include "python/asgi/call_coroutine.hpp"
#include "python/asgi/coroutine_protocol.hpp"
#include "python/runtime/method.hpp"
#include "python/runtime/no_collection.hpp"
#include "python/runtime/static_type.hpp"

#include <cstdint>

namespace unicoro::python {
namespace {

enum class purpose : std::uint8_t { receive, send };

struct waiting_object {
    PyObject_HEAD PyObject* coroutine;  // of the call
    PyObject* future;                   // while it waits
    PyObject* iterator;                 // of the future
    purpose what;
    bool done;
};

waiting_object& self_of(PyObject* object) noexcept {
    return *reinterpret_cast<waiting_object*>(object);
}

asgi_call::progress ask(waiting_object& self, PyObject** result) {
    asgi_call& call = call_of(self.coroutine);
    const no_collection meanwhile;
    py_ref value;
    const asgi_call::progress state = self.what == purpose::receive ? call.receive(value) : call.sent();
    if (state == asgi_call::progress::ready) {
        *result = value ? value.release() : py_ref::borrow(Py_None).release();
    }
    return state;
}

/// It waits no more, for whatever reason.
void stop_waiting(waiting_object& self) noexcept {
    Py_CLEAR(self.iterator);
    if (self.future == nullptr) return;
    call_of(self.coroutine).forget(self.future);
    Py_CLEAR(self.future);
}

PySendResult wait_more(waiting_object& self, PyObject** result) {
    py_ref future = call_of(self.coroutine).future_to_wait();
    if (!future) return PYGEN_ERROR;
    const PyAsyncMethods* const methods = Py_TYPE(future.get())->tp_as_async;
    if (methods == nullptr || methods->am_await == nullptr) {
        PyErr_SetString(PyExc_TypeError, "the event loop's create_future() returned no awaitable");
        return PYGEN_ERROR;
    }
    self.iterator = methods->am_await(future.get());
    self.future = future.release();
    if (self.iterator == nullptr) return PYGEN_ERROR;
    return PyIter_Send(self.iterator, Py_None, result);
}

PySendResult step(PyObject* object, PyObject* argument, PyObject** result) {
    waiting_object& self = self_of(object);
    *result = nullptr;
    if (self.done) return refuse_reuse();
    for (;;) {
        if (self.iterator != nullptr) {
            const PySendResult waited = PyIter_Send(self.iterator, argument, result);
            if (waited == PYGEN_NEXT) return waited;
            stop_waiting(self);
            Py_CLEAR(*result);
            if (waited == PYGEN_ERROR) {
                self.done = true;
                return waited;
            }
        }
        const asgi_call::progress state = ask(self, result);
        if (state != asgi_call::progress::pending) {
            self.done = true;
            return state == asgi_call::progress::ready ? PYGEN_RETURN : PYGEN_ERROR;
        }
        const PySendResult waited = wait_more(self, result);
        if (waited == PYGEN_NEXT) return waited;
        stop_waiting(self);
        Py_CLEAR(*result);
        if (waited == PYGEN_ERROR) {
            self.done = true;
            return waited;
        }
    }
}

PyObject* throw_into(PyObject* object, PyObject* const* arguments, Py_ssize_t count) {
    waiting_object& self = self_of(object);
    self.done = true;
    if (self.iterator == nullptr) return raise_given(arguments, count);
    PyObject* const result = throw_on(self.iterator, arguments, count);
    stop_waiting(self);
    return result;
}

PyObject* close(PyObject* object, PyObject*) {
    waiting_object& self = self_of(object);
    self.done = true;
    stop_waiting(self);
    Py_RETURN_NONE;
}

void dealloc(PyObject* object) {
    waiting_object& self = self_of(object);
    stop_waiting(self);
    Py_CLEAR(self.coroutine);
    PyObject_Free(object);
}

PyTypeObject* waiting_type() {
    static PyTypeObject type{};
    static PyAsyncMethods async{};
    static PyMethodDef methods[] = {
        {"send", &send_to_coroutine, METH_O, "send(value): goes on."},
        {"throw", fast(&throw_into), METH_FASTCALL, "throw(exception): goes on with it."},
        {"close", &close, METH_NOARGS, "Ends it."},
        {nullptr, nullptr, 0, nullptr},
    };
    if (begin_type(type, "unicoro.Waiting", sizeof(waiting_object), &dealloc, "A receive() or send().")) {
        make_awaitable(type, async, &step, methods);
    }
    return ready_type(type);
}

py_ref make_waiting(PyObject* coroutine, purpose what) {
    py_ref made = new_object<waiting_object>(waiting_type());
    if (!made) return {};
    waiting_object& self = self_of(made.get());
    self.coroutine = py_ref::borrow(coroutine).release();
    self.future = nullptr;
    self.iterator = nullptr;
    self.what = what;
    self.done = false;
    return made;
}

// --- the one that is done

PySendResult done_step(PyObject*, PyObject*, PyObject** result) {
    Py_INCREF(Py_None);
    *result = Py_None;
    return PYGEN_RETURN;
}

PyObject* done_throw(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    return raise_given(arguments, count);
}

PyObject* done_close(PyObject*, PyObject*) {
    Py_RETURN_NONE;
}

PyTypeObject* done_type() {
    static PyTypeObject type{};
    static PyAsyncMethods async{};
    static PyMethodDef methods[] = {
        {"send", &send_to_coroutine, METH_O, "send(value): ends."},
        {"throw", fast(&done_throw), METH_FASTCALL, "throw(exception): raises it."},
        {"close", &done_close, METH_NOARGS, "Does nothing."},
        {nullptr, nullptr, 0, nullptr},
    };
    // One object, which is never freed: it needs no deallocator.
    if (begin_type(type, "unicoro.Sent", sizeof(PyObject), nullptr, "A send() that is done.")) {
        make_awaitable(type, async, &done_step, methods);
    }
    return ready_type(type);
}

// --- the functions

PyObject* receive(PyObject* coroutine, PyObject*) {
    return make_waiting(coroutine, purpose::receive).release();
}

PyObject* send_message(PyObject* coroutine, PyObject* message) {
    return call_of(coroutine).send(message).release();
}

}  // namespace

py_ref make_receive(PyObject* coroutine) {
    static PyMethodDef method{
        "receive", &receive, METH_NOARGS, "receive($self, /)\n--\n\nAwait it for the next message."
    };
    return py_ref::steal(PyCFunction_New(&method, coroutine));
}

py_ref make_send(PyObject* coroutine) {
    static PyMethodDef method{
        "send",
        &send_message,
        METH_O,
        "send($self, message, /)\n--\n\nSends a message; await it for its way being free."
    };
    return py_ref::steal(PyCFunction_New(&method, coroutine));
}

py_ref sent_already() {
    static PyObject* const one = new_object<PyObject>(done_type()).release();
    if (one == nullptr) PyErr_NoMemory();
    return py_ref::borrow(one);
}

py_ref wait_until_sent(PyObject* coroutine) {
    return make_waiting(coroutine, purpose::send);
}

}  // namespace unicoro::python
