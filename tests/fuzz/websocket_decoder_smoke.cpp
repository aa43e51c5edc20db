// SPDX-License-Identifier: MIT
// A fixed number of mutants of a client's frames: the same ones on every run.
#include "fuzz/random_source.hpp"
#include "fuzz/websocket_invariants.hpp"
#include "http/refusal.hpp"
#include "unit/http/client_frames.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace unicoro::http;
using unicoro::test::client_frame;
using unicoro::test::random_source;
using op = websocket_opcode;

constexpr std::uint8_t packed = websocket_final | websocket_compressed;

std::vector<std::string> frames() {
    websocket_deflater client{deflate_agreement()};
    std::string words;
    for (int i = 0; i < 800; ++i) words += std::to_string(i) + "\xe2\x98\x83";
    std::string zeros(10'001, '\0');
    std::string compressed;
    std::string bomb;
    std::string_view left = words;
    while (!client.compress(left, compressed)) {
    }
    left = zeros;
    while (!client.compress(left, bomb)) {
    }
    return {
        client_frame(op::text, "hello"),
        client_frame(op::text, "\xf0\x9d\x84\x9e \xe2\x98\x83"),
        client_frame(op::binary, std::string(126, 'b')),
        client_frame(op::binary, std::string(9'000, 'b')),
        client_frame(op::text, "first ", 0),
        client_frame(op::text, compressed.substr(0, 50), websocket_compressed),
        client_frame(op::continuation, compressed.substr(50)),
        client_frame(op::continuation, "", 0),
        client_frame(op::continuation, "last"),
        client_frame(op::text, compressed, packed),
        client_frame(op::binary, bomb, packed),
        client_frame(op::ping, "ping"),
        client_frame(op::pong, ""),
        client_frame(op::close, close_payload(1000, "bye")),
        client_frame(op::close, ""),
    };
}

std::string mutant(const std::vector<std::string>& known, random_source& random) {
    std::string wire;
    for (std::size_t n = random.below(6) + 1; n > 0; --n) wire += known[random.below(known.size())];
    for (std::size_t n = random.below(4); n > 0; --n) {
        const std::size_t at = random.below(wire.size());
        switch (random.below(4)) {
            case 0: wire[at] = static_cast<char>(random.below(256)); break;
            case 1: wire.erase(at, random.below(8) + 1); break;
            case 2: wire.insert(at, known[random.below(known.size())]); break;
            default: wire[at] = static_cast<char>(wire[at] ^ static_cast<char>(1U << random.below(8)));
        }
        if (wire.empty()) break;
    }
    return wire;
}

int run(std::size_t inputs) {
    const std::vector<std::string> known = frames();
    random_source random;
    for (std::size_t input = 0; input < inputs; ++input) {
        const std::string wire = mutant(known, random);
        const std::string wrong = unicoro::test::broken_websocket_invariant(wire);
        if (wrong.empty()) continue;
        std::fprintf(stderr, "input %zu: %s\n%s\n", input, wrong.c_str(), quoted(wire).c_str());
        return 1;
    }
    std::printf("%zu inputs\n", inputs);
    return 0;
}

}  // namespace

int main() {
    try {
        return run(8'000);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "%s\n", failure.what());
        return 1;
    }
}
