// SPDX-License-Identifier: MIT
// libFuzzer target; seeds are the .http files of tests/corpus/requests.
#include "fuzz/request_invariants.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string wrong = unicoro::test::broken_invariant({reinterpret_cast<const char*>(data), size});
    if (wrong.empty()) return 0;
    std::fprintf(stderr, "broken invariant: %s\n", wrong.c_str());
    std::abort();
}
