// SPDX-License-Identifier: MIT
#include "python/asgi/task_starter.hpp"

#include "python/runtime/method.hpp"

#include <array>
#include <utility>

namespace unicoro::python {
namespace {

// From 3.12 on asyncio does it itself.
#if PY_VERSION_HEX >= 0x030C0000
constexpr bool eager_known = true;
#else
constexpr bool eager_known = false;
#endif

bool attribute_is_true(PyObject* object, const char* name) noexcept {
    const py_ref value = py_ref::steal(PyObject_GetAttrString(object, name));
    const int truth = value ? PyObject_IsTrue(value.get()) : 0;
    PyErr_Clear();
    return truth == 1;
}

}  // namespace

bool task_starter::prepare(PyObject* loop) {
    static PyMethodDef capture_method{
        "call_soon", fast(&task_starter::capture), fast_named, "Keeps the first step of a new task."
    };
    loop_ = py_ref::borrow(loop);
    const py_ref asyncio = py_ref::steal(PyImport_ImportModule("asyncio"));
    if (asyncio) task_type_ = py_ref::steal(PyObject_GetAttrString(asyncio.get(), "Task"));
    create_task_ = py_ref::steal(PyObject_GetAttrString(loop, "create_task"));
    keywords_ = py_ref::steal(
        eager_known ? Py_BuildValue("(ss)", "loop", "eager_start") : Py_BuildValue("(s)", "loop")
    );
    name_ = py_ref::steal(PyUnicode_InternFromString("call_soon"));
    call_soon_ = bound_method(capture_method, this);
    return task_type_ && create_task_ && keywords_ && name_ && call_soon_;
}

bool task_starter::as_anyone() const {
    return attribute_is_true(loop_.get(), "_debug") || attribute_is_true(loop_.get(), "_task_factory");
}

void task_starter::begin() {
    plain_ = as_anyone();
    if (plain_ || eager_known) return;
    if (PyObject_SetAttr(loop_.get(), name_.get(), call_soon_.get()) == 0) return;
    PyErr_Clear();
    plain_ = true;
}

py_ref task_starter::make(PyObject* coroutine) {
    if (plain_) return py_ref::steal(PyObject_CallOneArg(create_task_.get(), coroutine));
    const std::array<PyObject*, 4> arguments{nullptr, coroutine, loop_.get(), Py_True};
    return py_ref::steal(PyObject_Vectorcall(
        task_type_.get(), arguments.data() + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, keywords_.get()
    ));
}

PyObject* task_starter::capture(
    PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords
) {
    auto& starter = bound_object<task_starter>(self);
    const Py_ssize_t named = keywords != nullptr ? PyTuple_GET_SIZE(keywords) : 0;
    if (count == 1 && named == 1) {
        starter.steps_.push_back({py_ref::borrow(arguments[0]), py_ref::borrow(arguments[1])});
        Py_RETURN_NONE;
    }
    // Some finaliser that ran by chance meanwhile.
    const py_ref real = py_ref::steal(
        PyObject_GetAttr(reinterpret_cast<PyObject*>(Py_TYPE(starter.loop_.get())), starter.name_.get())
    );
    if (!real) return nullptr;
    std::vector<PyObject*> with_self{starter.loop_.get()};
    with_self.insert(with_self.end(), arguments, arguments + count + named);
    return PyObject_Vectorcall(real.get(), with_self.data(), static_cast<std::size_t>(count) + 1, keywords);
}

void task_starter::end() {
    if (plain_ || eager_known) return;
    if (PyObject_DelAttr(loop_.get(), name_.get()) != 0) PyErr_Clear();
    // A first step that runs the loop itself makes others, and ends them.
    std::vector<first_step> steps = std::exchange(steps_, {});
    for (first_step& each : steps) {
        if (PyContext_Enter(each.context.get()) != 0) {
            PyErr_WriteUnraisable(each.callback.get());
            continue;
        }
        const py_ref done = py_ref::steal(PyObject_CallNoArgs(each.callback.get()));
        // What a task runs catches everything.
        if (!done) PyErr_WriteUnraisable(each.callback.get());
        if (PyContext_Exit(each.context.get()) != 0) PyErr_WriteUnraisable(each.callback.get());
        each.callback.reset();
        each.context.reset();
    }
}

}  // namespace unicoro::python
