// SPDX-License-Identifier: MIT
#include "python/gevent/gevent_loop.hpp"

#include "python/gevent/loop_object.hpp"
#include "python/gevent/server_seat.hpp"
#include "python/runtime/py_ref.hpp"

#include <cstdlib>

namespace unicoro::python {
namespace gevent {
namespace {

unsigned long& forks() noexcept {
    static unsigned long count = 0;
    return count;
}

pthread_t& main_thread() noexcept {
    static pthread_t thread = pthread_self();
    return thread;
}

void in_child() {
    ++forks();
    main_thread() = pthread_self();
    the_seat() = {};
}

}  // namespace

server_seat& the_seat() noexcept {
    static server_seat seat;
    return seat;
}

unsigned long fork_count() noexcept {
    return forks();
}

bool on_main_thread() noexcept {
    return pthread_equal(pthread_self(), main_thread()) != 0;
}

void watch_forks() noexcept {
    [[maybe_unused]] static const bool once = [] {
        main_thread() = pthread_self();
        return pthread_atfork(nullptr, nullptr, &in_child) == 0;
    }();
}

}  // namespace gevent

namespace gevent_loop {

choice choose() {
    py_ref module = py_ref::borrow(PyDict_GetItemString(PyImport_GetModuleDict(), "_unicoro_gevent"));
    if (!module) module = py_ref::steal(gevent::make_module());
    if (!module) return choice::failed;
    if (std::getenv("GEVENT_LOOP") != nullptr) return choice::users;
    const py_ref done = py_ref::steal(PyObject_CallMethod(module.get(), "choose_for_gevent", nullptr));
    return done ? choice::ours : choice::failed;
}

choice install(shared_reactor& reactor) {
    gevent::the_seat().reactor = &reactor;
    return choose();
}

void set_turn(hub_turn* turn) noexcept {
    gevent::the_seat().turn = turn;
}

void hold() noexcept {
    ++gevent::the_seat().held;
}

void release() noexcept {
    --gevent::the_seat().held;
}

void leave() noexcept {
    gevent::the_seat().leaves = true;
}

}  // namespace gevent_loop

}  // namespace unicoro::python
