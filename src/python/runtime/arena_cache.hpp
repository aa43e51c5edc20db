// SPDX-License-Identifier: MIT
#pragma once

namespace unicoro::python {

/// Keeps freed 16 KiB blocks of Python's arena allocator for the next taker. Since 3.11 every
/// thread and greenlet that runs a Python frame takes one such block (its data stack), which costs
/// an mmap, page faults and a munmap each time. Called before the interpreter starts, once; the
/// cache lives for ever.
void install_arena_cache() noexcept;

}  // namespace unicoro::python
