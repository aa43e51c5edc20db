// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

#include <cstddef>
#include <cstdint>

namespace unicoro::python::gevent {

struct loop_object;

/// Bits of an event mask, with libev's values, which gevent's users see.
namespace event {
constexpr int read = 1;
constexpr int write = 2;
constexpr int fresh = 0x80;  ///< an io watcher that was never started
constexpr int timer = 0x100;
constexpr int signal = 0x400;
constexpr int idle = 0x2000;
constexpr int prepare = 0x4000;
constexpr int check = 0x8000;
constexpr int fork = 0x20000;
constexpr int async = 0x80000;
constexpr int error = static_cast<int>(0x80000000U);
}  // namespace event

constexpr int lowest_priority = -2;
constexpr int highest_priority = 2;

enum class watcher_kind : std::uint8_t { io, timer, signal, async, idle, prepare, check, fork, custom };
constexpr std::size_t watcher_kinds = 9;

/// What all watchers have. A Python object; the derived ones are its subtypes.
struct watcher {
    PyObject_HEAD loop_object* loop;
    PyObject* callback;     ///< None when it is stopped
    PyObject* args;         ///< a tuple, or None
    std::uint32_t pending;  ///< 1 + its place among the pending ones of its priority, or 0
    std::int8_t priority;
    watcher_kind kind;
    bool active;       ///< the loop looks out for its event
    bool owns_itself;  ///< it holds a reference to itself, because the loop knows it
    bool uncounted;    ///< does not keep the loop running
    bool discounted;   ///< the loop has been told so
};

struct io_watcher : watcher {
    int fd;
    int events;
    io_watcher* next;  ///< another one of the same descriptor
};

struct timer_watcher : watcher {
    double at;            ///< active: the time it fires; else the seconds until then
    double repeat;        ///< seconds, or 0
    std::uint64_t order;  ///< of starting: decides between equal times
    std::size_t place;    ///< in the heap
};

/// All others: members of a list of the loop.
struct listed_watcher : watcher {
    std::uint32_t place;  ///< in that list
    int signum;           ///< of a signal watcher
    bool sent;            ///< of an async watcher
};

/// Starts and stops the watcher as its Python methods do. False with an exception set.
[[nodiscard]] bool start_watcher(watcher& self, PyObject* callback, PyObject* args);
[[nodiscard]] bool stop_watcher(watcher& self);
[[nodiscard]] bool again_watcher(timer_watcher& self, PyObject* callback, PyObject* args, bool update);
[[nodiscard]] bool feed_watcher(watcher& self, int events, PyObject* callback, PyObject* args);

/// Calls its callback, and cleans up when it is not active afterwards. Errors go to the loop.
void invoke_watcher(watcher& self, int events);

/// The watcher types, readied; null with an exception set. `custom` is the base of all.
[[nodiscard]] PyTypeObject* watcher_type(watcher_kind kind);
/// The properties that it does not share with the base.
[[nodiscard]] PyGetSetDef* watcher_properties(watcher_kind kind) noexcept;

/// Makes a watcher without the detour over its type's call. The arguments are a vectorcall's:
/// io(fd, events, ref, priority), timer(after, repeat, ref, priority), signal(signum, ref,
/// priority), others (ref, priority). Null with an exception set.
[[nodiscard]] PyObject* make_watcher(
    watcher_kind kind,
    PyTypeObject* type,
    loop_object* loop,
    PyObject* const* args,
    Py_ssize_t count,
    PyObject* names
);

/// What stands first in the arguments of a callback that wants to know the events: gevent_loop.py's.
[[nodiscard]] PyObject*& events_marker() noexcept;

}  // namespace unicoro::python::gevent
