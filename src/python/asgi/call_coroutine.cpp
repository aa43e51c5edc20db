// SPDX-License-Identifier: MIT
#include "python/asgi/call_coroutine.hpp"

#include "os/cpu_time.hpp"
#include "python/asgi/asgi_call.hpp"
#include "python/asgi/coroutine_protocol.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/method.hpp"
#include "python/runtime/static_type.hpp"

namespace unicoro::python {
namespace {

struct coroutine_object {
    PyObject_HEAD asgi_call* call;
    PyObject* inner;  // the application's, as an iterator; null before and after
    bool running;
    bool done;
};

/// The time in which a coroutine's code runs. As with Python's own, that code must not run itself.
class running_time {
  public:
    explicit running_time(coroutine_object& self) noexcept : self_(self) {
        self_.running = true;
        if (self_.call->measures_cpu()) cpu_before_ = os::thread_cpu_time();
    }
    running_time(const running_time&) = delete;
    running_time& operator=(const running_time&) = delete;
    ~running_time() {
        self_.running = false;
        if (self_.call->measures_cpu()) self_.call->add_cpu_time(os::thread_cpu_time() - cpu_before_);
    }

  private:
    coroutine_object& self_;
    std::chrono::nanoseconds cpu_before_{};
};

bool may_run(const coroutine_object& self) noexcept {
    if (!self.running) return true;
    PyErr_SetString(PyExc_ValueError, "coroutine already executing");
    return false;
}

coroutine_object& self_of(PyObject* object) noexcept {
    return *reinterpret_cast<coroutine_object*>(object);
}

bool begin(PyObject* object) {
    coroutine_object& self = self_of(object);
    const py_ref made = self.call->call_application(object);
    if (!made) return false;
    if (PyCoro_CheckExact(made.get())) {
        self.inner = py_ref::borrow(made.get()).release();
        return true;
    }
    const PyAsyncMethods* const methods = Py_TYPE(made.get())->tp_as_async;
    if (methods == nullptr || methods->am_await == nullptr) {
        PyErr_Format(
            PyExc_TypeError,
            "the ASGI application must return an awaitable, it returned %.100s",
            Py_TYPE(made.get())->tp_name
        );
        return false;
    }
    self.inner = methods->am_await(made.get());
    return self.inner != nullptr;
}

/// The application's coroutine has ended. True when what it raised is to be raised on.
bool end(coroutine_object& self, bool returned) {
    if (interpreter::forked_away()) interpreter::leave_forked();
    self.done = true;
    const bool raise = self.call->app_ended(returned) == asgi_call::ending::cancelled;
    if (raise) {
        // Dropping the frames must not see the exception.
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        Py_CLEAR(self.inner);
        PyErr_Restore(type, value, traceback);
    } else {
        Py_CLEAR(self.inner);
    }
    return raise;
}

PySendResult step(PyObject* object, PyObject* argument, PyObject** result) {
    coroutine_object& self = self_of(object);
    *result = nullptr;
    if (!may_run(self)) return PYGEN_ERROR;
    if (self.done) return refuse_reuse();
    const running_time now(self);
    PySendResult outcome = PYGEN_ERROR;
    if (self.inner != nullptr || begin(object)) outcome = PyIter_Send(self.inner, argument, result);
    if (outcome == PYGEN_NEXT) return outcome;
    Py_CLEAR(*result);
    if (end(self, outcome == PYGEN_RETURN)) return PYGEN_ERROR;
    Py_INCREF(Py_None);
    *result = Py_None;
    return PYGEN_RETURN;
}

PyObject* throw_into(PyObject* object, PyObject* const* arguments, Py_ssize_t count) {
    coroutine_object& self = self_of(object);
    if (!may_run(self)) return nullptr;
    const running_time now(self);
    PyObject* result = nullptr;
    if (self.inner == nullptr) {
        result = raise_given(arguments, count);
        if (self.done) return result;
    } else {
        result = throw_on(self.inner, arguments, count);
    }
    if (result != nullptr) return result;
    const bool returned = PyErr_ExceptionMatches(PyExc_StopIteration) != 0;
    if (returned) PyErr_Clear();
    if (!end(self, returned)) PyErr_SetNone(PyExc_StopIteration);
    return nullptr;
}

PyObject* close(PyObject* object, PyObject*) {
    coroutine_object& self = self_of(object);
    if (!may_run(self)) return nullptr;
    if (self.done) Py_RETURN_NONE;
    const running_time now(self);
    if (self.inner != nullptr) {
        const py_ref closed = py_ref::steal(PyObject_CallMethod(self.inner, "close", nullptr));
        if (!closed) PyErr_Clear();
    }
    PyErr_SetString(PyExc_RuntimeError, "the task of the request was destroyed");
    end(self, false);
    Py_RETURN_NONE;
}

/// What tools ask of a coroutine is the application's.
PyObject* inner_attribute(PyObject* object, void* name) {
    coroutine_object& self = self_of(object);
    if (self.inner == nullptr) Py_RETURN_NONE;
    PyObject* const value = PyObject_GetAttrString(self.inner, static_cast<const char*>(name));
    if (value != nullptr) return value;
    PyErr_Clear();
    Py_RETURN_NONE;
}

PyObject* own_name(PyObject*, void*) {
    return PyUnicode_FromString("asgi_request");
}

void dealloc(PyObject* object) {
    coroutine_object& self = self_of(object);
    Py_CLEAR(self.inner);
    delete self.call;
    PyObject_Free(object);
}

PyMethodDef methods[] = {
    {"send", &send_to_coroutine, METH_O, "send(value): goes on."},
    {"throw", fast(&throw_into), METH_FASTCALL, "throw(exception): goes on with it."},
    {"close", &close, METH_NOARGS, "Ends it."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef attribute(const char* name) noexcept {
    return {name, &inner_attribute, nullptr, "the application's", const_cast<char*>(name)};
}

PyTypeObject* coroutine_type() {
    static PyTypeObject type{};
    static PyAsyncMethods async{};
    static PyGetSetDef attributes[] = {
        attribute("cr_frame"),
        attribute("cr_code"),
        attribute("cr_await"),
        attribute("cr_running"),
        attribute("cr_origin"),
        {"__name__", &own_name, nullptr, "its name", nullptr},
        {"__qualname__", &own_name, nullptr, "its name", nullptr},
        {nullptr, nullptr, nullptr, nullptr, nullptr},
    };
    if (begin_type(
            type,
            "unicoro.Request",
            sizeof(coroutine_object),
            &dealloc,
            "A request in an ASGI application, as a coroutine."
        )) {
        make_awaitable(type, async, &step, methods);
        type.tp_getset = attributes;
    }
    return ready_type(type);
}

}  // namespace

py_ref make_call_coroutine(asgi_call& call) {
    py_ref made = new_object<coroutine_object>(coroutine_type());
    if (!made) return {};
    coroutine_object& self = self_of(made.get());
    self.call = &call;
    self.inner = nullptr;
    self.running = false;
    self.done = false;
    return made;
}

asgi_call& call_of(PyObject* coroutine) noexcept {
    return *self_of(coroutine).call;
}

PyObject* inner_of(PyObject* coroutine) noexcept {
    return self_of(coroutine).inner;
}

}  // namespace unicoro::python
