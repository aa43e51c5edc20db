// SPDX-License-Identifier: MIT
#include "unit/compress/samples.hpp"

#include <zlib.h>

namespace {

std::string gunzip(std::string_view coded) {
    z_stream state{};
    REQUIRE(inflateInit2(&state, 16 + 15) == Z_OK);
    state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(coded.data()));
    state.avail_in = static_cast<uInt>(coded.size());
    std::string made;
    int answer = Z_OK;
    do {
        char buffer[4096];
        state.next_out = reinterpret_cast<Bytef*>(buffer);
        state.avail_out = sizeof buffer;
        answer = inflate(&state, Z_SYNC_FLUSH);
        made.append(buffer, sizeof buffer - state.avail_out);
    } while (answer == Z_OK && state.avail_out == 0);
    inflateEnd(&state);
    CHECK((answer == Z_OK || answer == Z_STREAM_END || answer == Z_BUF_ERROR));
    return made;
}

}  // namespace

TEST_SUITE("compress") {
    TEST_CASE("gzip") {
        compress_test::check_coding(unicoro::compress::coding::gzip, gunzip);
    }
}
