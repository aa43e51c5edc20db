// SPDX-License-Identifier: MIT
// Replays the corpus and a fixed number of mutants of it: the same ones on every run.
#include "fuzz/random_source.hpp"
#include "fuzz/request_invariants.hpp"
#include "http/refusal.hpp"
#include "unit/http/corpus.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

using unicoro::test::corpus_file;
using unicoro::test::random_source;

// Pieces of grammar that random bytes would hardly hit.
constexpr std::array<std::string_view, 24> tokens = {
    "\r\n",
    "\r\n\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    ";",
    ",",
    "\"",
    "\\",
    "#",
    "0\r\n",
    "f",
    "Host: a\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close\r\n",
    "Expect: 100-continue\r\n",
    "X_A: b\r\n",
    "HTTP/1.0",
    "\r\n ",
    "SCRIPT_NAME: /a\r\n",
    "ffffffffffffffff",
};

void mutate(std::string& wire, const std::vector<corpus_file>& corpus, random_source& random) {
    const std::size_t at = random.below(wire.size() + 1);
    const std::size_t count = std::min(random.below(16) + 1, wire.size() - at);
    switch (random.below(7)) {
        case 0:
            if (at < wire.size()) wire[at] = static_cast<char>(random.below(256));
            break;
        case 1: wire.insert(at, tokens[random.below(tokens.size())]); break;
        case 2: wire.erase(at, count); break;
        case 3: wire.insert(random.below(wire.size() + 1), wire.substr(at, count)); break;
        case 4: wire.resize(at); break;
        case 5: {
            const std::string& other = corpus[random.below(corpus.size())].wire;
            wire = wire.substr(0, at) + other.substr(random.below(other.size()));
            break;
        }
        default: wire.append(corpus[random.below(corpus.size())].wire);
    }
}

int run(std::size_t rounds) {
    const std::vector<corpus_file> corpus = unicoro::test::load_corpus();
    random_source random;
    std::size_t inputs = 0;
    for (std::size_t round = 0; round <= rounds; ++round) {
        for (const corpus_file& file : corpus) {
            // The first round is the corpus itself; long files would eat the time of the others.
            std::string wire = file.wire;
            if (round > 0) {
                if (wire.size() > 2000) continue;
                for (std::size_t n = random.below(4) + 1; n > 0; --n) mutate(wire, corpus, random);
                wire.resize(std::min<std::size_t>(wire.size(), 2000));
            }
            ++inputs;
            const std::string wrong = unicoro::test::broken_invariant(wire);
            if (wrong.empty()) continue;
            std::fprintf(
                stderr,
                "%s, round %zu: %s\n%s\n",
                file.name.c_str(),
                round,
                wrong.c_str(),
                unicoro::http::quoted(wire).c_str()
            );
            return 1;
        }
    }
    std::printf("%zu inputs\n", inputs);
    return 0;
}

}  // namespace

int main() {
    try {
        return run(200);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "%s\n", failure.what());
        return 1;
    }
}
