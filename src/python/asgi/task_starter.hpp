// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

#include <vector>

namespace unicoro::python {

/// Makes asyncio Tasks whose first step does not wait for the loop's next turn: what answers at once
/// costs no turn at all. With a task factory of the application's, or in asyncio's debug mode, they
/// are made as anyone makes them. Every call with the GIL, outside of any Task.
class task_starter {
  public:
    /// False with a Python exception set.
    [[nodiscard]] bool prepare(PyObject* loop);

    /// Between `begin` and `end` tasks are made; `end` runs their first steps, where `make` has not.
    void begin();
    [[nodiscard]] py_ref make(PyObject* coroutine);
    void end();

  private:
    struct first_step {
        py_ref callback;
        py_ref context;
    };

    static PyObject* capture(
        PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords
    );

    [[nodiscard]] bool as_anyone() const;

    py_ref loop_;
    py_ref task_type_;
    py_ref create_task_;
    py_ref keywords_;
    py_ref call_soon_;  // takes the place of the loop's while tasks are made
    py_ref name_;
    std::vector<first_step> steps_;
    bool plain_ = false;
};

}  // namespace unicoro::python
