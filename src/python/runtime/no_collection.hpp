// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/python.hpp"

namespace unicoro::python {

/// While it lives no garbage collection begins, and so no code of the application in the middle of an
/// allocation: it might switch, wait or end the very request that is being read. For stretches that
/// refer to a request and make Python objects of it. From 3.12 on a collection waits for the bytecode
/// loop by itself. With the GIL, which is not let go meanwhile.
class no_collection {
  public:
#if PY_VERSION_HEX < 0x030C0000
    no_collection() noexcept : enabled_(PyGC_Disable() != 0) {}
    ~no_collection() {
        if (enabled_) PyGC_Enable();
    }
#else
    no_collection() noexcept = default;
    ~no_collection() {}
#endif
    no_collection(const no_collection&) = delete;
    no_collection& operator=(const no_collection&) = delete;

#if PY_VERSION_HEX < 0x030C0000
  private:
    bool enabled_;
#endif
};

}  // namespace unicoro::python
