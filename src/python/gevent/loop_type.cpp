// SPDX-License-Identifier: MIT
#include "python/gevent/call_args.hpp"
#include "python/gevent/callback_queue.hpp"
#include "python/gevent/loop_core.hpp"
#include "python/gevent/loop_object.hpp"
#include "python/gevent/watcher.hpp"
#include "python/runtime/method.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/static_type.hpp"

#include <structmember.h>

#include <cstddef>
#include <utility>

namespace unicoro::python::gevent {
namespace {

loop_object& self_of(PyObject* object) noexcept {
    return *reinterpret_cast<loop_object*>(object);
}

/// libev's default loop is one per process, so that is what gevent's users expect. Not owned.
loop_object*& default_loop() noexcept {
    static loop_object* loop = nullptr;
    return loop;
}

PyObject* none_if(bool ok) noexcept {
    return ok ? Py_NewRef(Py_None) : nullptr;
}

void part(loop_object& self) noexcept {
    if (default_loop() == &self) default_loop() = nullptr;
    loop_core* const core = std::exchange(self.core, nullptr);
    if (core == nullptr) return;
    // Its frames are on the stack: run() ends it.
    if (core->depth() > 0) {
        core->leave();
        core->abandon();
    } else {
        delete core;
    }
}

int traverse(PyObject* object, visitproc visit, void* arg) {
    Py_VISIT(self_of(object).error_handler);
    return 0;
}

int clear(PyObject* object) {
    Py_XSETREF(self_of(object).error_handler, Py_NewRef(Py_None));
    return 0;
}

void dealloc(PyObject* object) {
    PyObject_GC_UnTrack(object);
    part(self_of(object));
    Py_CLEAR(self_of(object).error_handler);
    Py_TYPE(object)->tp_free(object);
}

/// loop(flags=None, default=None): loop.py looks at the flags.
PyObject* make_new(PyTypeObject* type, PyObject* args, PyObject* named) {
    static const char* const names[] = {"flags", "default", nullptr};
    PyObject *flags = Py_None, *wants = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, named, "|OO:loop", const_cast<char**>(names), &flags, &wants)) {
        return nullptr;
    }
    const bool is_default = to_bool(wants, true);
    if (PyErr_Occurred() != nullptr) return nullptr;
    if (is_default && default_loop() != nullptr) {
        return Py_NewRef(reinterpret_cast<PyObject*>(default_loop()));
    }
    PyObject* const made = type->tp_alloc(type, 0);
    if (made == nullptr) return nullptr;
    self_of(made).error_handler = Py_NewRef(Py_None);
    self_of(made).core = loop_core::make(self_of(made), is_default).release();
    if (self_of(made).core == nullptr) {
        Py_DECREF(made);
        return nullptr;
    }
    if (is_default) default_loop() = &self_of(made);
    return made;
}

template <watcher_kind Kind>
PyObject* make(PyObject* object, PyObject* const* args, Py_ssize_t count, PyObject* names) {
    return make_watcher(Kind, watcher_type(Kind), &self_of(object), args, count, names);
}

PyObject* run_callback(PyObject* object, PyObject* const* args, Py_ssize_t count) {
    loop_core* const core = living_core(&self_of(object));
    if (core == nullptr) return nullptr;
    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "run_callback() needs a function");
        return nullptr;
    }
    const py_ref its = py_ref::steal(tuple_of(args + 1, count - 1));
    return its ? core->run_soon(args[0], its.get()) : nullptr;
}

PyObject* run(PyObject* object, PyObject* const* args, Py_ssize_t count, PyObject* names) {
    const auto given = sort_args<2>({"nowait", "once"}, args, count, names);
    if (!given.ok) return nullptr;
    const bool nowait = to_bool(given[0], false);
    const bool once = to_bool(given[1], false);
    loop_core* const core = living_core(&self_of(object));
    if (core == nullptr || PyErr_Occurred() != nullptr) return nullptr;
    const py_ref alive = py_ref::borrow(object);
    core->run(nowait ? run_mode::one_turn_nowait : (once ? run_mode::one_turn : run_mode::until_done));
    if (core->abandoned() && core->depth() == 0) delete core;
    Py_RETURN_NONE;
}

PyObject* leave(PyObject* object, PyObject* const*, Py_ssize_t) {
    loop_core* const core = living_core(&self_of(object));
    if (core != nullptr) core->leave();
    return none_if(core != nullptr);
}

template <void (loop_core::*Method)() noexcept>
PyObject* simple(PyObject* object, PyObject*) {
    loop_core* const core = living_core(&self_of(object));
    if (core != nullptr) (core->*Method)();
    return none_if(core != nullptr);
}

PyObject* destroy(PyObject* object, PyObject*) {
    const bool alive = self_of(object).core != nullptr;
    part(self_of(object));
    return PyBool_FromLong(alive);
}

PyObject* reinit(PyObject* object, PyObject*) {
    loop_core* const core = self_of(object).core;
    return none_if(core == nullptr || core->reinit());
}

PyObject* begin_child(PyObject* object, PyObject* args) {
    PyObject *own = nullptr, *others = nullptr;
    if (!PyArg_ParseTuple(args, "O!O!", &PyList_Type, &own, &PyList_Type, &others)) return nullptr;
    loop_core* const core = living_core(&self_of(object));
    return none_if(core != nullptr && core->begin_child(own, others));
}

PyObject* closing_fd(PyObject* object, PyObject* fd) {
    loop_core* const core = living_core(&self_of(object));
    const long number = PyLong_AsLong(fd);
    if (core == nullptr || PyErr_Occurred() != nullptr) return nullptr;
    return PyBool_FromLong(core->closing(static_cast<int>(number)));
}

PyObject* now(PyObject* object, PyObject*) {
    const loop_core* const core = living_core(&self_of(object));
    return core != nullptr ? PyFloat_FromDouble(core->now()) : nullptr;
}

PyObject* fileno(PyObject* object, PyObject*) {
    const loop_core* const core = self_of(object).core;
    return core != nullptr ? PyLong_FromLong(core->fileno()) : Py_NewRef(Py_None);
}

PyObject* get_ptr(PyObject* object, void*) {
    return PyLong_FromVoidPtr(self_of(object).core);
}

PyObject* get_default(PyObject* object, void*) {
    const loop_core* const core = self_of(object).core;
    return PyBool_FromLong(core != nullptr && core->is_default());
}

template <typename Ask>
PyObject* ask(PyObject* object, Ask question) {
    loop_core* const core = living_core(&self_of(object));
    return core != nullptr ? PyLong_FromLongLong(static_cast<long long>(question(*core))) : nullptr;
}

PyObject* get_active(PyObject* object, void*) {
    return ask(object, [](loop_core& core) { return core.active(); });
}

PyObject* get_pending(PyObject* object, void*) {
    return ask(object, [](loop_core& core) { return core.pending(); });
}

PyObject* get_turns(PyObject* object, void*) {
    return ask(object, [](loop_core& core) { return core.turns(); });
}

PyObject* get_depth(PyObject* object, void*) {
    return ask(object, [](loop_core& core) { return core.depth(); });
}

PyObject* get_callbacks(PyObject* object, void*) {
    loop_core* const core = living_core(&self_of(object));
    py_ref all = py_ref::steal(core != nullptr ? PyList_New(0) : nullptr);
    if (!all) return nullptr;
    callback_object* each = core->callbacks().first();
    for (; each != nullptr; each = each->next) {
        if (PyList_Append(all.get(), reinterpret_cast<PyObject*>(each)) != 0) return nullptr;
    }
    return all.release();
}

using kind_of = watcher_kind;

PyMethodDef methods[] = {
    {"io", fast(&make<kind_of::io>), fast_named, "io(fd, events, ref=True, priority=None)"},
    {"timer", fast(&make<kind_of::timer>), fast_named, "timer(after, repeat=0.0, ref=True, priority=None)"},
    {"signal", fast(&make<kind_of::signal>), fast_named, "signal(signum, ref=True, priority=None)"},
    {"async_", fast(&make<kind_of::async>), fast_named, "async_(ref=True, priority=None)"},
    {"async", fast(&make<kind_of::async>), fast_named, "The old name of async_."},
    {"idle", fast(&make<kind_of::idle>), fast_named, "idle(ref=True, priority=None)"},
    {"prepare", fast(&make<kind_of::prepare>), fast_named, "prepare(ref=True, priority=None)"},
    {"check", fast(&make<kind_of::check>), fast_named, "check(ref=True, priority=None)"},
    {"fork", fast(&make<kind_of::fork>), fast_named, "fork(ref=True, priority=None)"},
    {"run_callback", fast(&run_callback), METH_FASTCALL, "run_callback(function, *args)"},
    {"run_callback_threadsafe", fast(&run_callback), METH_FASTCALL, "The same, which is for all threads."},
    {"run", fast(&run), fast_named, "run(nowait=False, once=False)"},
    {"break_", fast(&leave), METH_FASTCALL, "Lets run() return."},
    {"ref", &simple<&loop_core::ref>, METH_NOARGS, nullptr},
    {"unref", &simple<&loop_core::unref>, METH_NOARGS, nullptr},
    {"update_now", &simple<&loop_core::update_now>, METH_NOARGS, nullptr},
    {"update", &simple<&loop_core::update_now>, METH_NOARGS, "The old name of update_now."},
    {"forget_callbacks", &simple<&loop_core::forget_callbacks>, METH_NOARGS, nullptr},
    {"now", &now, METH_NOARGS, "The time of the turn, in seconds since the epoch."},
    {"destroy", &destroy, METH_NOARGS, nullptr},
    {"reinit", &reinit, METH_NOARGS, "For a process that was forked off."},
    {"_begin_child", &begin_child, METH_VARARGS, "See loop.begin_child."},
    {"closing_fd", &closing_fd, METH_O, nullptr},
    {"fileno", &fileno, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"ptr", &get_ptr, nullptr, "0 when destroyed.", nullptr},
    {"default", &get_default, nullptr, nullptr, nullptr},
    {"activecnt", &get_active, nullptr, nullptr, nullptr},
    {"pendingcnt", &get_pending, nullptr, nullptr, nullptr},
    {"iteration", &get_turns, nullptr, nullptr, nullptr},
    {"depth", &get_depth, nullptr, nullptr, nullptr},
    {"_callbacks", &get_callbacks, nullptr, "Those that are still to run.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"error_handler", T_OBJECT, offsetof(loop_object, error_handler), 0, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

}  // namespace

PyTypeObject* loop_type() {
    static PyTypeObject type{};
    if (begin_type(type, "_unicoro_gevent.loop_base", sizeof(loop_object), &dealloc, nullptr)) {
        type.tp_flags |= Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE;
        type.tp_traverse = &traverse;
        type.tp_clear = &clear;
        type.tp_methods = methods;
        type.tp_members = members;
        type.tp_getset = properties;
        type.tp_new = &make_new;
    }
    return ready_type(type);
}

loop_core* living_core(loop_object* loop) noexcept {
    if (loop->core == nullptr) PyErr_SetString(PyExc_ValueError, "operation on destroyed loop");
    return loop->core;
}

}  // namespace unicoro::python::gevent
