// SPDX-License-Identifier: MIT
#include "base/poison.hpp"

#ifdef __SANITIZE_ADDRESS__

#include <sanitizer/asan_interface.h>

#include <cstdlib>
#include <string_view>

namespace unicoro::base {

void poison(void* memory, std::size_t size) noexcept {
    __asan_poison_memory_region(memory, size);
}

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

// UndefinedBehaviorSanitizer reads its options at its first report, and where the kernel keeps the
// environment lies the title of the process by then (os::set_process_title).
extern "C" const char* __ubsan_default_options();
extern "C" const char* __ubsan_default_options() {
    return "halt_on_error=1:print_stacktrace=1:exitcode=86";
}

#endif
