// SPDX-License-Identifier: MIT
#include "python/wsgi/attended_call.hpp"

#include "python/runtime/traceback.hpp"

namespace unicoro::python {

void attended_call::run_application() {
    step_ = call_.begin(std::move(body_), *this);
    while (step_.what == wsgi_call::action::write) {
        // The piece belongs to call_, which is not asked for another one before this one has left.
        if (!write(step_.bytes, nullptr)) {
            {
                [[maybe_unused]] const py_ref why = take_exception();
                giving_up();
            }
            call_.give_up();
            step_ = {};
            return;
        }
        step_ = call_.next();
    }
}

}  // namespace unicoro::python
