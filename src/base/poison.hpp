// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace unicoro::base {

// Memory that is kept for a later taker belongs to nobody: in a build with AddressSanitizer whoever
// touches it meanwhile is reported, as after a free. In other builds this is nothing.
#ifdef __SANITIZE_ADDRESS__

void poison(void* memory, std::size_t size) noexcept;
void unpoison(void* memory, std::size_t size) noexcept;

/// False when the environment says UNICORO_POOLS=off: nothing is kept then, and what is freed stays
/// in the sanitizer's quarantine, so that a use is seen also after another took the place.
[[nodiscard]] bool pools_are_on() noexcept;

#else

inline void poison(void*, std::size_t) noexcept {}
inline void unpoison(void*, std::size_t) noexcept {}
[[nodiscard]] constexpr bool pools_are_on() noexcept {
    return true;
}

#endif

}  // namespace unicoro::base
