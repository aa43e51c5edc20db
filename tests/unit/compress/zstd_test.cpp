// SPDX-License-Identifier: MIT
#include "unit/compress/samples.hpp"

#include <zstd.h>

namespace {

std::string unzstd(std::string_view coded) {
    ZSTD_DCtx* const context = ZSTD_createDCtx();
    ZSTD_inBuffer in{coded.data(), coded.size(), 0};
    std::string made;
    for (;;) {
        char buffer[4096];
        ZSTD_outBuffer out{buffer, sizeof buffer, 0};
        const std::size_t left = ZSTD_decompressStream(context, &out, &in);
        REQUIRE(ZSTD_isError(left) == 0);
        made.append(buffer, out.pos);
        if (out.pos < sizeof buffer && in.pos == in.size) break;
    }
    ZSTD_freeDCtx(context);
    return made;
}

}  // namespace

TEST_SUITE("compress") {
    TEST_CASE("zstd") {
        compress_test::check_coding(unicoro::compress::coding::zstd, unzstd);
    }
}
