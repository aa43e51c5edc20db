// SPDX-License-Identifier: MIT
#include "python/wsgi/greenlets/gevent_driver.hpp"

#include "log/log.hpp"
#include "python/runtime/greenlet_api.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/traceback.hpp"

namespace unicoro::python {

bool gevent_driver::prepare() {
    // In this order: the loop is chosen before the first hub, which patching may make.
    switch (gevent_loop::install(reactor_)) {
        case gevent_loop::choice::ours: break;
        case gevent_loop::choice::failed: return false;
        case gevent_loop::choice::users:
            PyErr_SetString(
                PyExc_RuntimeError,
                "GEVENT_LOOP chooses another event loop than the server's; remove it from the "
                "environment"
            );
            return false;
    }
    const py_ref patch = interpreter::bootstrap("patch_gevent");
    const py_ref patched = py_ref::steal(patch ? PyObject_CallNoArgs(patch.get()) : nullptr);
    const py_ref get_hub = interpreter::bootstrap("gevent_hub");
    if (patched && get_hub) hub_ = py_ref::steal(PyObject_CallNoArgs(get_hub.get()));
    if (!hub_ || !requests_.prepare()) return false;
    main_ = greenlet_api::current();
    gevent_loop::set_turn(this);
    gevent_loop::hold();
    return static_cast<bool>(main_);
}

void gevent_driver::run() {
    requests_.turn(hub_.get());
    if (interpreter::forked_away()) return;
    if (other_turn_) other_turn_();
    if (!reactor_.stopped()) return;
    [[maybe_unused]] const py_ref resumed = greenlet_api::switch_to(main_.get());
    PyErr_Clear();
}

void gevent_driver::drive() {
    while (!reactor_.stopped()) {
        const py_ref came_back = greenlet_api::switch_to(hub_.get());
        if (interpreter::forked_away()) interpreter::leave_forked();
        if (came_back) continue;
        // What gevent raises in the main greenlet for a greenlet that called sys.exit().
        log::error("the application ends its worker\n{}", describe_exception(take_exception().get()));
        reactor_.context().stop();
    }
    // Ending Python waits for threads and runs atexit functions, which may need the hub once more.
    gevent_loop::set_turn(nullptr);
    if (other_end_) other_end_();
    gevent_loop::release();
    reactor_.context().restart();
}

}  // namespace unicoro::python
