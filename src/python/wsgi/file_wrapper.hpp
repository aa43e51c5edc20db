// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"
#include "python/runtime/py_ref.hpp"

#include <cstdint>
#include <optional>

namespace unicoro::python {

/// The type that is `wsgi.file_wrapper`: iterates over `read(block_size)` of any file-like object
/// and closes it. Borrowed; null with a Python exception set.
[[nodiscard]] PyObject* file_wrapper_type();

/// A regular file to be sent without passing through Python. The descriptor is a duplicate, so the
/// application's file may be closed before all of it is sent.
struct sendable_file {
    os::unique_fd fd;
    std::uint64_t offset = 0;
    std::uint64_t count = 0;  ///< to its end
};

/// What is behind `iterable` when it is a file wrapper around an unbuffered or buffered binary file
/// of the io module on a regular file, from its current position. Other objects may have a `fileno`
/// that is not what `read` returns (gzip, text), so they are iterated. No exception is left set.
[[nodiscard]] std::optional<sendable_file> as_sendable_file(PyObject* iterable) noexcept;

}  // namespace unicoro::python
