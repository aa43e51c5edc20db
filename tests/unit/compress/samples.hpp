// SPDX-License-Identifier: MIT
#pragma once

#include "compress/encoder.hpp"
#include "support/doctest.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace compress_test {

/// What a decoder makes of all that was sent so far.
using decoder = std::function<std::string(std::string_view coded)>;

/// Text that packs, and bytes that do not.
inline std::string sample(std::size_t size, bool random) {
    std::string made;
    std::uint32_t state = 1;
    while (made.size() < size) {
        state = state * 1664525 + 1013904223;
        if (random) {
            made += static_cast<char>(state >> 24);
        } else {
            made += "{\"id\": " + std::to_string(state >> 20) + ", \"name\": \"somebody\"}, ";
        }
    }
    made.resize(size);
    return made;
}

/// Every size and level there and back: whole, in pieces, and each piece at once where it is flushed.
inline void check_coding(unicoro::compress::coding which, const decoder& decode) {
    using namespace unicoro::compress;
    const levels range = levels_of(which);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{600}, std::size_t{300'000}}) {
        for (const bool random : {false, true}) {
            const std::string body = sample(size, random);
            for (int level = range.least; level <= range.most; ++level) {
                for (const bool known : {false, true}) {
                    CAPTURE(size);
                    CAPTURE(level);
                    const auto told = known ? std::optional<std::uint64_t>(size) : std::nullopt;
                    const auto encoder = make_encoder(which, level, told);
                    REQUIRE(encoder);
                    std::string out;
                    std::string_view left = body;
                    while (left.size() > 70'000) {
                        CHECK(encoder->encode(left.substr(0, 70'000), flush::none, out));
                        left.remove_prefix(70'000);
                    }
                    CHECK(encoder->encode(left, flush::end, out));
                    CHECK((decode(out) == body));
                    if (!random && size > 1000) CHECK(out.size() < size / 4);
                }
            }
        }
    }
    const auto encoder = make_encoder(which, range.least, std::nullopt);
    REQUIRE(encoder);
    std::string sent;
    std::string given;
    for (const char* piece : {"data: 1\n\n", "data: 2\n\n", "x"}) {
        given += piece;
        CHECK(encoder->encode(piece, flush::sync, sent));
        CHECK((decode(sent) == given));
    }
    CHECK(encoder->encode({}, flush::sync, sent));
    CHECK(encoder->encode({}, flush::end, sent));
    CHECK((decode(sent) == given));
}

}  // namespace compress_test
