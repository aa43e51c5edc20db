// SPDX-License-Identifier: MIT
#pragma once

#include "app/code_place.hpp"
#include "python/runtime/py_ref.hpp"

#include <memory>
#include <utility>

namespace unicoro::python {

/// A place of Python code, as _unicoro.code_places knows it. With the GIL, from its making to its end.
struct python_place final : app::code_place {
    python_place(const char* of_kind, py_ref what) : kind(of_kind), subject(std::move(what)) {}

    const char* kind;
    py_ref subject;  ///< a number of a thread, a greenlet, a coroutine; None for the loop
};

/// Makes none of what a collection of garbage could be due at.
[[nodiscard]] inline std::shared_ptr<app::code_place> place_of(const char* kind, PyObject* subject) {
    return std::make_shared<python_place>(kind, py_ref::borrow(subject));
}

}  // namespace unicoro::python
