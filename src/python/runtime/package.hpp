// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/py_ref.hpp"

#include <initializer_list>

/// What of the module is written in Python: the package `_unicoro` (src/python/package). It is embedded, code
/// and text, and nothing of it is looked for on the disk. Everything here needs the GIL.
namespace unicoro::python::package {

/// Whether it was compiled for a Python that reads the same bytecode as this one.
[[nodiscard]] bool fits() noexcept;

/// Makes it importable, once per interpreter; `module` becomes the package itself, if there is one. False
/// with a Python exception set.
[[nodiscard]] bool install(PyObject* module = nullptr);
/// From here on nothing of it is found: the interpreter ends.
void forget() noexcept;

/// What `module` ("_unicoro.loading") has under `name`; it is imported when it is first asked for. Null with
/// a Python exception set, or without one when there is no package.
[[nodiscard]] py_ref find(const char* module, const char* name) noexcept;

/// What that returns for `arguments`, none of which is null. Null with a Python exception set, or without one
/// when there is no package.
[[nodiscard]] py_ref call(
    const char* module, const char* name, std::initializer_list<PyObject*> arguments = {}
) noexcept;

}  // namespace unicoro::python::package
