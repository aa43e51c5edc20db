// SPDX-License-Identifier: MIT
#include "python/wsgi/greenlets/loop_driver.hpp"

#include "log/log.hpp"
#include "python/runtime/greenlet_api.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/traceback.hpp"

namespace unicoro::python {

void loop_driver::drive() {
    while (!reactor_.stopped()) {
        const py_ref came_back = enter_hub();
        if (interpreter::forked_away()) interpreter::leave_forked();
        if (came_back) continue;
        // What gevent raises in the main greenlet for a greenlet that called sys.exit().
        log::error("the application ends its worker\n{}", describe_exception(take_exception().get()));
        reactor_.context().stop();
    }
    // Ending Python waits for threads and runs atexit functions, which may need the hub once more.
    stopped();
    reactor_.context().restart();
}

void loop_driver::leave_hub() noexcept {
    [[maybe_unused]] const py_ref resumed = greenlet_api::switch_to(main_.get());
    PyErr_Clear();
}

}  // namespace unicoro::python
