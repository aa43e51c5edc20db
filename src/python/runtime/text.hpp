// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

#include <string_view>

namespace unicoro::python {

// With the GIL; those that make something give nothing with MemoryError set.

/// A str of Latin-1 bytes: PEP 3333's "native string".
[[nodiscard]] py_ref latin1(std::string_view bytes) noexcept;

/// A str of UTF-8, and of what is none, as urllib's unquote makes it.
[[nodiscard]] py_ref utf8(std::string_view bytes) noexcept;

[[nodiscard]] py_ref bytes_of(std::string_view bytes) noexcept;

/// What a bytes object holds, for as long as that lives.
[[nodiscard]] inline std::string_view view_of(PyObject* bytes) noexcept {
    return {PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes))};
}

}  // namespace unicoro::python
