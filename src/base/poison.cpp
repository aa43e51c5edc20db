// SPDX-License-Identifier: MIT
#include "base/poison.hpp"

#ifdef __SANITIZE_ADDRESS__

#include <sanitizer/asan_interface.h>

#include <cstdlib>
#include <string_view>

namespace unicoro::base {

void poison(void* memory, std::size_t size) noexcept { __asan_poison_memory_region(memory, size); }

void unpoison(void* memory, std::size_t size) noexcept {
    __asan_unpoison_memory_region(memory, size);
}

bool pools_are_on() noexcept {
    static const bool on = [] {
        const char* const said = std::getenv("UNICORO_POOLS");
        return said == nullptr || std::string_view(said) != "off";
    }();
    return on;
}

}  // namespace unicoro::base

#endif
