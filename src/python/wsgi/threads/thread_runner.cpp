// SPDX-License-Identifier: MIT
#include "python/wsgi/threads/thread_runner.hpp"

#include "python/runtime/gil.hpp"

#include <utility>

namespace unicoro::python {

awaitable<void> thread_runner::run(wsgi_runtime& application, app::exchange& request, request_body body) {
    return attend(request, thread_call_ptr(new thread_call(*this, application, request, std::move(body))));
}

void thread_runner::admit(thread_call& call) {
    present_.push_back(call);
    pool_.submit(thread_call_ptr(&call));
}

// Each of them alone would wait for the GIL once more, behind all the threads that are busy.
void thread_runner::cancel_all() {
    if (present_.empty()) return;
    const gil_lock gil;
    for (thread_call& each : present_) {
        if (!each.taken_away()) each.take_away();
    }
}

}  // namespace unicoro::python
