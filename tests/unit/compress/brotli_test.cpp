// SPDX-License-Identifier: MIT
#include "unit/compress/samples.hpp"

#include <brotli/decode.h>

namespace {

std::string unbrotli(std::string_view coded) {
    BrotliDecoderState* const state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
    std::size_t left = coded.size();
    const auto* next = reinterpret_cast<const std::uint8_t*>(coded.data());
    std::string made;
    BrotliDecoderResult answer = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    while (answer == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
        std::uint8_t buffer[4096];
        std::size_t room = sizeof buffer;
        std::uint8_t* to = buffer;
        answer = BrotliDecoderDecompressStream(state, &left, &next, &room, &to, nullptr);
        made.append(reinterpret_cast<const char*>(buffer), sizeof buffer - room);
    }
    CHECK(answer != BROTLI_DECODER_RESULT_ERROR);
    BrotliDecoderDestroyInstance(state);
    return made;
}

}  // namespace

TEST_SUITE("compress") {
    TEST_CASE("br") {
        compress_test::check_coding(unicoro::compress::coding::br, unbrotli);
    }
}
