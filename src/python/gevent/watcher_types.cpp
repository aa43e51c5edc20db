// SPDX-License-Identifier: MIT
#include "python/gevent/call_args.hpp"
#include "python/gevent/loop_core.hpp"
#include "python/gevent/loop_object.hpp"
#include "python/gevent/watcher.hpp"
#include "python/runtime/method.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/static_type.hpp"

#include <structmember.h>

#include <cstddef>
#include <vector>

namespace unicoro::python::gevent {
namespace {

template <typename Type = watcher>
Type& self_of(PyObject* object) noexcept {
    return *reinterpret_cast<Type*>(object);
}

PyObject* none_if(bool ok) noexcept {
    return ok ? Py_NewRef(Py_None) : nullptr;
}

int traverse(PyObject* object, visitproc visit, void* arg) {
    Py_VISIT(self_of(object).loop);
    Py_VISIT(self_of(object).callback);
    Py_VISIT(self_of(object).args);
    return 0;
}

/// Not the loop: until the end, whoever has the watcher may ask it to stop.
int clear(PyObject* object) {
    Py_XSETREF(self_of(object).callback, Py_NewRef(Py_None));
    Py_XSETREF(self_of(object).args, Py_NewRef(Py_None));
    return 0;
}

void dealloc(PyObject* object) {
    PyObject_GC_UnTrack(object);
    Py_CLEAR(self_of(object).callback);
    Py_CLEAR(self_of(object).args);
    Py_CLEAR(self_of(object).loop);
    Py_TYPE(object)->tp_free(object);
}

/// The callback and what follows it. False with an exception set.
struct start_args {
    PyObject* callback = nullptr;
    py_ref args;
    bool option = false;

    [[nodiscard]] bool parse(
        PyObject* const* given, Py_ssize_t count, PyObject* names, const char* option_name, bool otherwise
    ) {
        if (count < 1) {
            PyErr_SetString(PyExc_TypeError, "start() needs a callback");
            return false;
        }
        callback = given[0];
        option = otherwise;
        const Py_ssize_t named = names != nullptr ? PyTuple_GET_SIZE(names) : 0;
        for (Py_ssize_t i = 0; i < named; ++i) {
            PyObject* const name = PyTuple_GET_ITEM(names, i);
            if (option_name == nullptr || PyUnicode_CompareWithASCIIString(name, option_name) != 0) {
                PyErr_Format(PyExc_TypeError, "unexpected keyword argument '%U'", name);
                return false;
            }
            option = to_bool(given[count + i], otherwise);
        }
        args = py_ref::steal(tuple_of(given + 1, count - 1));
        return static_cast<bool>(args) && PyErr_Occurred() == nullptr;
    }
};

PyObject* start(PyObject* object, PyObject* const* given, Py_ssize_t count, PyObject* names) {
    start_args its;
    if (!its.parse(given, count, names, nullptr, false)) return nullptr;
    return none_if(start_watcher(self_of(object), its.callback, its.args.get()));
}

PyObject* start_io(PyObject* object, PyObject* const* given, Py_ssize_t count, PyObject* names) {
    start_args its;
    if (!its.parse(given, count, names, "pass_events", false)) return nullptr;
    if (its.option) {
        std::vector<PyObject*> more(given, given + count);
        more[0] = events_marker();
        its.args = py_ref::steal(tuple_of(more.data(), count));
        if (!its.args) return nullptr;
    }
    return none_if(start_watcher(self_of(object), its.callback, its.args.get()));
}

PyObject* start_timer(PyObject* object, PyObject* const* given, Py_ssize_t count, PyObject* names) {
    loop_core* const core = living_core(self_of(object).loop);
    start_args its;
    if (core == nullptr || !its.parse(given, count, names, "update", core->may_update_now())) {
        return nullptr;
    }
    if (its.option) core->update_now();
    return none_if(start_watcher(self_of(object), its.callback, its.args.get()));
}

PyObject* again(PyObject* object, PyObject* const* given, Py_ssize_t count, PyObject* names) {
    start_args its;
    if (!its.parse(given, count, names, "update", true)) return nullptr;
    auto& self = self_of<timer_watcher>(object);
    return none_if(again_watcher(self, its.callback, its.args.get(), its.option));
}

PyObject* stop(PyObject* object, PyObject*) {
    return none_if(stop_watcher(self_of(object)));
}

PyObject* close(PyObject* object, PyObject*) {
    if ((Py_TYPE(object)->tp_flags & Py_TPFLAGS_HEAPTYPE) == 0) return stop(object, nullptr);
    return PyObject_CallMethod(object, "stop", nullptr);
}

PyObject* feed(PyObject* object, PyObject* const* given, Py_ssize_t count) {
    if (count < 2) {
        PyErr_SetString(PyExc_TypeError, "feed() needs events and a callback");
        return nullptr;
    }
    const long events = PyLong_AsLong(given[0]);
    if (PyErr_Occurred() != nullptr) return nullptr;
    const py_ref args = py_ref::steal(tuple_of(given + 2, count - 2));
    if (!args) return nullptr;
    return none_if(feed_watcher(self_of(object), static_cast<int>(events), given[1], args.get()));
}

PyObject* enter(PyObject* object, PyObject*) {
    return Py_NewRef(object);
}

PyObject* leave(PyObject* object, PyObject*) {
    return PyObject_CallMethod(object, "close", nullptr);
}

PyObject* send(PyObject* object, PyObject*) {
    auto& self = self_of<listed_watcher>(object);
    loop_core* const core = living_core(self.loop);
    if (core != nullptr) core->send(self);
    return none_if(core != nullptr);
}

PyObject* represent(PyObject* object) {
    return call_loop_py("describe_watcher", object);
}

template <watcher_kind Kind>
PyObject* make_new(PyTypeObject* type, PyObject* args, PyObject* named) {
    const Py_ssize_t given = PyTuple_GET_SIZE(args);
    PyObject* const loop = given > 0 ? PyTuple_GET_ITEM(args, 0) : nullptr;
    PyTypeObject* const wanted = loop_type();
    if (loop == nullptr || wanted == nullptr || PyObject_TypeCheck(loop, wanted) == 0) {
        PyErr_SetString(PyExc_TypeError, "the first argument of a watcher is its loop");
        return nullptr;
    }
    auto& of = *reinterpret_cast<loop_object*>(loop);
    if (type == watcher_type(watcher_kind::custom)) {
        PyErr_SetString(PyExc_ValueError, "Cannot construct a bare watcher");
        return nullptr;
    }
    // Subclasses have parameters of their own.
    if (Kind == watcher_kind::custom) return make_watcher(Kind, type, &of, nullptr, 0, nullptr);
    std::vector<PyObject*> all;
    for (Py_ssize_t i = 1; i < given; ++i) all.push_back(PyTuple_GET_ITEM(args, i));
    const py_ref names = py_ref::steal(PyTuple_New(named != nullptr ? PyDict_GET_SIZE(named) : 0));
    PyObject *name = nullptr, *value = nullptr;
    for (Py_ssize_t at = 0, i = 0; named != nullptr && PyDict_Next(named, &at, &name, &value); ++i) {
        PyTuple_SET_ITEM(names.get(), i, Py_NewRef(name));
        all.push_back(value);
    }
    return make_watcher(Kind, type, &of, all.data(), given - 1, names.get());
}

PyMethodDef methods[] = {
    {"start", fast(&start), fast_named, "start(callback, *args)"},
    {"stop", &stop, METH_NOARGS, "stop()"},
    {"close", &close, METH_NOARGS, "close()"},
    {"feed", fast(&feed), METH_FASTCALL, "feed(events, callback, *args)"},
    {"__enter__", &enter, METH_NOARGS, nullptr},
    {"__exit__", &leave, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyMemberDef members[] = {
    {"loop", T_OBJECT, offsetof(watcher, loop), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyMethodDef io_methods[] = {
    {"start", fast(&start_io), fast_named, "start(callback, *args, pass_events=False)"},
    {nullptr, nullptr, 0, nullptr},
};

PyMethodDef timer_methods[] = {
    {"start", fast(&start_timer), fast_named, "start(callback, *args, update=None)"},
    {"again", fast(&again), fast_named, "again(callback, *args, update=True)"},
    {nullptr, nullptr, 0, nullptr},
};

PyMethodDef async_methods[] = {
    {"send", &send, METH_NOARGS, "Makes it fire. From any thread."},
    {"send_ignoring_arg", &send, METH_O, "The same."},
    {nullptr, nullptr, 0, nullptr},
};

PyTypeObject* base_type() {
    static PyTypeObject type{};
    if (begin_type(type, "_unicoro_gevent.watcher", sizeof(watcher), &dealloc, "Base of watchers.")) {
        type.tp_flags |= Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE;
        type.tp_traverse = &traverse;
        type.tp_clear = &clear;
        type.tp_methods = methods;
        type.tp_members = members;
        type.tp_getset = watcher_properties(watcher_kind::custom);
        type.tp_repr = &represent;
        type.tp_new = &make_new<watcher_kind::custom>;
    }
    return ready_type(type);
}

template <watcher_kind Kind, typename Struct>
PyTypeObject* derived(const char* name, PyMethodDef* own_methods) {
    static PyTypeObject type{};
    if (begin_type(type, name, sizeof(Struct), &dealloc, nullptr)) {
        type.tp_flags |= Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE;
        type.tp_base = base_type();
        type.tp_traverse = &traverse;
        type.tp_clear = &clear;
        type.tp_methods = own_methods;
        type.tp_getset = watcher_properties(Kind);
        type.tp_new = &make_new<Kind>;
    }
    return type.tp_base != nullptr ? ready_type(type) : nullptr;
}

}  // namespace

PyTypeObject* watcher_type(watcher_kind kind) {
    using kind_of = watcher_kind;
    using listed = listed_watcher;
    switch (kind) {
        case kind_of::io: return derived<kind_of::io, io_watcher>("_unicoro_gevent.io", io_methods);
        case kind_of::timer:
            return derived<kind_of::timer, timer_watcher>("_unicoro_gevent.timer", timer_methods);
        case kind_of::signal: return derived<kind_of::signal, listed>("_unicoro_gevent.signal", nullptr);
        case kind_of::async: return derived<kind_of::async, listed>("_unicoro_gevent.async_", async_methods);
        case kind_of::idle: return derived<kind_of::idle, listed>("_unicoro_gevent.idle", nullptr);
        case kind_of::prepare: return derived<kind_of::prepare, listed>("_unicoro_gevent.prepare", nullptr);
        case kind_of::check: return derived<kind_of::check, listed>("_unicoro_gevent.check", nullptr);
        case kind_of::fork: return derived<kind_of::fork, listed>("_unicoro_gevent.fork", nullptr);
        case kind_of::custom: break;
    }
    return base_type();
}

}  // namespace unicoro::python::gevent
