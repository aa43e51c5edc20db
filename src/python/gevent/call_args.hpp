// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

#include <array>
#include <cstddef>

namespace unicoro::python::gevent {

/// The arguments of a vectorcall, sorted by the names of the parameters: absent ones are null.
template <std::size_t Count>
struct sorted_args {
    std::array<PyObject*, Count> values{};
    bool ok = true;  ///< else an exception is set

    [[nodiscard]] PyObject* operator[](std::size_t at) const noexcept { return values[at]; }
};

namespace call_args_detail {
/// Where `name` is among the parameters; or `count`, with an exception set.
[[nodiscard]] std::size_t find(const char* const* parameters, std::size_t count, PyObject* name);
void too_many(std::size_t most, Py_ssize_t given);
void given_twice(const char* parameter);
}  // namespace call_args_detail

template <std::size_t Count>
[[nodiscard]] sorted_args<Count> sort_args(
    const std::array<const char*, Count>& parameters, PyObject* const* args, Py_ssize_t count, PyObject* names
) {
    sorted_args<Count> sorted;
    if (static_cast<std::size_t>(count) > Count) {
        call_args_detail::too_many(Count, count);
        sorted.ok = false;
        return sorted;
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) sorted.values[i] = args[i];
    const Py_ssize_t named = names != nullptr ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t i = 0; i < named && sorted.ok; ++i) {
        const std::size_t at = call_args_detail::find(parameters.data(), Count, PyTuple_GET_ITEM(names, i));
        if (at == Count) {
            sorted.ok = false;
        } else if (sorted.values[at] != nullptr) {
            call_args_detail::given_twice(parameters[at]);
            sorted.ok = false;
        } else {
            sorted.values[at] = args[count + i];
        }
    }
    return sorted;
}

/// The value of a parameter, or `otherwise` when it is absent (or None). An exception is set when
/// it is of the wrong type: ask PyErr_Occurred after the last one.
[[nodiscard]] long to_long(PyObject* value, long otherwise);
[[nodiscard]] double to_double(PyObject* value, double otherwise);
[[nodiscard]] bool to_bool(PyObject* value, bool otherwise);

/// A tuple of the positional arguments. Null with an exception set.
[[nodiscard]] PyObject* tuple_of(PyObject* const* args, Py_ssize_t count);

}  // namespace unicoro::python::gevent
