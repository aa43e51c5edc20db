// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

namespace unicoro::python {

/// The receive() and send() of a call. With the GIL; nothing with an exception set.
[[nodiscard]] py_ref make_receive(PyObject* coroutine);
[[nodiscard]] py_ref make_send(PyObject* coroutine);

/// What send() returns: an awaitable that is done, one for all; or one that waits until
/// asgi_call::sent is no longer pending.
[[nodiscard]] py_ref sent_already();
[[nodiscard]] py_ref wait_until_sent(PyObject* coroutine);

}  // namespace unicoro::python
