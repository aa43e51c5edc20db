// SPDX-License-Identifier: MIT
#include "python/gevent/call_args.hpp"
#include "python/gevent/loop_object.hpp"
#include "python/gevent/watcher.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace unicoro::python::gevent {
namespace {

/// Without its special parts. Null with an exception set.
watcher* begin(watcher_kind kind, PyTypeObject* type, loop_object* loop, PyObject* ref, PyObject* priority) {
    const long wanted = to_long(priority, 0);
    const bool counted = to_bool(ref, true);
    if (PyErr_Occurred() != nullptr) return nullptr;
    auto* const made = reinterpret_cast<watcher*>(type->tp_alloc(type, 0));
    if (made == nullptr) return nullptr;
    made->loop = reinterpret_cast<loop_object*>(Py_NewRef(reinterpret_cast<PyObject*>(loop)));
    made->callback = Py_NewRef(Py_None);
    made->args = Py_NewRef(Py_None);
    made->kind = kind;
    made->uncounted = !counted;
    made->priority =
        static_cast<std::int8_t>(std::clamp(wanted, long{lowest_priority}, long{highest_priority}));
    return made;
}

PyObject* done(watcher* made) noexcept {
    return reinterpret_cast<PyObject*>(made);
}

bool check_fd(long fd, long events) {
    if (fd < 0) {
        PyErr_Format(PyExc_ValueError, "fd must be non-negative: %ld", fd);
    } else if ((events & ~long{event::read | event::write | event::fresh}) != 0) {
        PyErr_Format(PyExc_ValueError, "illegal event mask: %ld", events);
    } else if (::fcntl(static_cast<int>(fd), F_GETFD) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
    } else {
        return true;
    }
    return false;
}

}  // namespace

PyObject* make_watcher(
    watcher_kind kind,
    PyTypeObject* type,
    loop_object* loop,
    PyObject* const* args,
    Py_ssize_t count,
    PyObject* names
) {
    if (kind == watcher_kind::io) {
        const auto given = sort_args<4>({"fd", "events", "ref", "priority"}, args, count, names);
        if (!given.ok) return nullptr;
        const long fd = to_long(given[0], -1);
        const long events = to_long(given[1], 0);
        if (PyErr_Occurred() != nullptr || !check_fd(fd, events)) return nullptr;
        auto* const made = static_cast<io_watcher*>(begin(kind, type, loop, given[2], given[3]));
        if (made == nullptr) return nullptr;
        made->fd = static_cast<int>(fd);
        made->events = static_cast<int>(events) | event::fresh;
        return done(made);
    }
    if (kind == watcher_kind::timer) {
        const auto given = sort_args<4>({"after", "repeat", "ref", "priority"}, args, count, names);
        if (!given.ok) return nullptr;
        const double after = to_double(given[0], 0);
        const double repeat = to_double(given[1], 0);
        if (PyErr_Occurred() != nullptr) return nullptr;
        if (repeat < 0) {
            PyErr_Format(PyExc_ValueError, "repeat must be positive or zero: %R", given[1]);
            return nullptr;
        }
        auto* const made = static_cast<timer_watcher*>(begin(kind, type, loop, given[2], given[3]));
        if (made == nullptr) return nullptr;
        made->at = after;
        made->repeat = repeat;
        return done(made);
    }
    if (kind == watcher_kind::signal) {
        const auto given = sort_args<3>({"signalnum", "ref", "priority"}, args, count, names);
        if (!given.ok) return nullptr;
        const long signum = to_long(given[0], 0);
        if (PyErr_Occurred() != nullptr) return nullptr;
        if (signum < 1 || signum >= NSIG) {
            PyErr_Format(PyExc_ValueError, "illegal signal number: %ld", signum);
            return nullptr;
        }
        auto* const made = static_cast<listed_watcher*>(begin(kind, type, loop, given[1], given[2]));
        if (made != nullptr) made->signum = static_cast<int>(signum);
        return done(made);
    }
    const auto given = sort_args<2>({"ref", "priority"}, args, count, names);
    return given.ok ? done(begin(kind, type, loop, given[0], given[1])) : nullptr;
}

}  // namespace unicoro::python::gevent
