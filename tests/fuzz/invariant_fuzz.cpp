// SPDX-License-Identifier: MIT
// libFuzzer's side of a target; seeds are the files of tests/corpus.
#include "fuzz/invariant.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string wrong = unicoro::test::broken_by({reinterpret_cast<const char*>(data), size});
    if (wrong.empty()) return 0;
    std::fprintf(stderr, "broken invariant: %s\n", wrong.c_str());
    std::abort();
}
