// SPDX-License-Identifier: MIT
// A fixed number of mutants of PROXY headers: the same ones on every run.
#include "fuzz/proxy_invariants.hpp"
#include "fuzz/random_source.hpp"

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace {

std::vector<std::string> headers() {
    const std::string v2("\r\n\r\n\0\r\nQUIT\n", 12);
    const std::string ends("\xC0\x00\x02\x01\x0A\x00\x00\x01\xC0\x00\x01\xBB", 12);
    const std::string ssl("\x20\0\x0F\x07\0\0\0\0\x21\0\x07TLSv1.3", 18);
    return {
        "PROXY TCP4 192.0.2.1 10.0.0.1 49152 443\r\n",
        "PROXY TCP6 2001:db8::1 ::1 1 0\r\n",
        "PROXY UNKNOWN whatever\r\n",
        v2 + std::string("\x20\0\0\0", 4),
        v2 + std::string("\x21\x11\0\x0C", 4) + ends,
        v2 + std::string("\x21\x11\0\x13", 4) + ends + std::string("\x03\0\x04\x20\x88\x99\x92", 7),
        v2 + std::string("\x21\x11\0\x23", 4) + ends + std::string("\x01\0\x02h2", 5) + ssl,
        v2 + std::string("\x21\x21\0\x24", 4) + ends + ends + ends,
    };
}

}  // namespace

int main() {
    constexpr int mutants = 200'000;
    const std::vector<std::string> known = headers();
    unicoro::test::random_source random;
    for (int i = 0; i < mutants; ++i) {
        std::string input = known[random.below(known.size())];
        for (std::size_t n = random.below(4); n > 0; --n) {
            const std::size_t at = random.below(input.size());
            switch (random.below(4)) {
                case 0: input[at] = static_cast<char>(random.below(256)); break;
                case 1: input.erase(at, random.below(4) + 1); break;
                case 2: input.insert(at, 1, static_cast<char>(random.below(256))); break;
                default: input += known[random.below(known.size())]; break;
            }
            if (input.empty()) break;
        }
        const std::string wrong = unicoro::test::broken_proxy_invariant(input);
        if (wrong.empty()) continue;
        std::fprintf(stderr, "mutant %d: %s\n", i, wrong.c_str());
        return 1;
    }
    return 0;
}
