// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

namespace unicoro::python {

/// A module of the package `_unicoro`, which package/embed.py has compiled for the Python of this build.
struct embedded_module {
    const char* name;  ///< with the package's
    bool is_package;
    std::span<const unsigned char> code;  ///< marshalled
    std::string_view text;                ///< UTF-8
};

extern const std::span<const embedded_module> embedded_modules;
/// What they were compiled for: PyImport_GetMagicNumber(), the same in all releases of a version.
extern const long embedded_magic;

}  // namespace unicoro::python
