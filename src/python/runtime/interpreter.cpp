// SPDX-License-Identifier: MIT
#include "python/runtime/interpreter.hpp"

#include "aio/stray_child.hpp"
#include "os/forks.hpp"
#include "os/process.hpp"
#include "python/runtime/arena_cache.hpp"
#include "python/runtime/forked_child.hpp"
#include "python/runtime/gil.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/traceback.hpp"

#include <unistd.h>

#include <optional>

namespace unicoro::python {
namespace {

/// Python is one per process, and so is this.
struct state {
    bool running = false;
    bool may_end = false;
    std::optional<gil_lock> forks;  // from before a fork until after it, on both sides
};

state& here() noexcept {
    static state instance;
    return instance;
}

void before_fork() noexcept {
    here().forks.emplace();
    PyOS_BeforeFork();
}

/// Those of the master go past os.fork.
void tell_debugger(PyObject* in_child) noexcept {
    if (!package::call("_unicoro.compat", "tell_debugger_of_fork", {in_child}))
        PyErr_WriteUnraisable(nullptr);
}

void in_parent() noexcept {
    PyOS_AfterFork_Parent();
    tell_debugger(Py_False);
    here().forks.reset();
}

void in_child() noexcept {
    PyOS_AfterFork_Child();
    tell_debugger(Py_True);
    here().forks.reset();
}

}  // namespace

bool interpreter::begin() {
    if (!package::call("_unicoro.startup", "begin") || !watch_python_forks()) return false;
    install_arena_cache();
    os::watch_own_forks({&before_fork, &in_parent, &in_child});
    here().running = true;
    gil_parking::leave();
    return true;
}

void interpreter::leave() noexcept {
    if (!here().running) return;
    gil_parking::enter();
    package::forget();
    here().running = false;
    here().may_end = true;
}

void interpreter::leave_beside_threads() noexcept {
    if (!here().running) return;
    gil_parking::enter();
    [[maybe_unused]] const py_ref ended = package::call("_unicoro.call_ends", "end_beside_threads");
    PyErr_Clear();
    here().running = false;
}

bool interpreter::may_end() noexcept {
    return here().may_end;
}

bool interpreter::running() noexcept {
    return here().running;
}

bool interpreter::forked_away() noexcept {
    return os::forked_off();
}

void interpreter::leave_forked() noexcept {
    const py_ref exception = take_exception();
    const py_ref code = package::call("_unicoro.forks", "end_child", {exception ? exception.get() : Py_None});
    if (!code || code.get() == Py_None) aio::end_stray_child();
    ::_exit(static_cast<int>(PyLong_AsLong(code.get())));
}

}  // namespace unicoro::python
