// SPDX-License-Identifier: MIT
#include "compress/coding.hpp"
#include "compress/encoder.hpp"
#include "support/doctest.hpp"

using namespace unicoro::compress;

TEST_SUITE("compress") {
    TEST_CASE("codings by name") {
        for (const coding each : codings) CHECK(coding_named(name_of(each)) == each);
        for (const char* other : {"", "deflate", "GZIP", "zst"}) CHECK(!coding_named(other));
    }

    TEST_CASE("there is an encoder of what is built in") {
        for (const coding each : codings) {
            CHECK((make_encoder(each, levels_of(each).least, std::nullopt) != nullptr) == is_built_in(each));
        }
    }
}
