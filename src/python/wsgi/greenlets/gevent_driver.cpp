// SPDX-License-Identifier: MIT
#include "python/wsgi/greenlets/gevent_driver.hpp"

#include "python/runtime/greenlet_api.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/package.hpp"
#include "python/runtime/py_ref.hpp"

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
    if (package::call("_unicoro.hubs", "patch_gevent")) hub_ = package::call("_unicoro.hubs", "gevent_hub");
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
    if (reactor_.stopped()) leave_hub();
}

py_ref gevent_driver::enter_hub() {
    return greenlet_api::switch_to(hub_.get());
}

void gevent_driver::stopped() {
    gevent_loop::set_turn(nullptr);
    if (other_end_) other_end_();
    gevent_loop::release();
}

}  // namespace unicoro::python
