// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace unicoro::python {

/// The Python half of the plugin, compiled by compile_bootstrap.py for the Python of this plugin.
extern const unsigned char bootstrap_code[];
extern const std::size_t bootstrap_size;
/// What it was compiled for: PyImport_GetMagicNumber(), the same in all releases of a version.
extern const long bootstrap_magic;

}  // namespace unicoro::python
