// SPDX-License-Identifier: MIT
#include "http/chunk_decoder.hpp"

#include "support/doctest.hpp"

#include <string>

namespace {

using unicoro::http::chunk_decoder;
using unicoro::http::refusal;
using status = chunk_decoder::status;

struct outcome {
    status what = status::need_more;
    std::string body;
    std::size_t consumed = 0;
    int code = 0;

    bool operator==(const outcome&) const = default;
};

outcome decode(
    std::string_view wire, std::size_t piece, std::uint64_t limit = 0, std::size_t trailers = 100
) {
    chunk_decoder decoder;
    decoder.begin(limit, trailers);
    refusal why;
    outcome out;
    while (out.what == status::need_more && !wire.empty()) {
        std::string_view input = wire.substr(0, piece);
        wire.remove_prefix(input.size());
        chunk_decoder::step step{};
        do {
            step = decoder.decode(input, why);
            out.body.append(step.data);
            out.consumed += step.consumed;
            input.remove_prefix(step.consumed);
        } while (step.what == status::data);
        out.what = step.what;
    }
    if (out.what == status::refused) out.code = why.status;
    return out;
}

}  // namespace

TEST_SUITE("chunk_decoder") {
    TEST_CASE("results, whatever the pieces") {
        struct row {
            std::string_view wire;
            status what;
            std::string_view body;
            std::size_t consumed;
        };
        const row rows[] = {
            {"", status::need_more, "", 0},
            {"5", status::need_more, "", 1},
            {"5\r\nhel", status::need_more, "hel", 6},
            {"5\r\nhello\r\n0\r\n", status::need_more, "hello", 13},
            {"5\r\nhello\r\n0\r\n\r\nGET", status::complete, "hello", 15},
            {"0\r\nA: b\r\n\r\nGET", status::complete, "", 11},
            {"1;x=\"\\\r\"\r\na\r\n", status::refused, "", 6},
            {"1;x=\"\t\xff\\\"\"\r\na\r\n", status::need_more, "a", 15},
            {"1\t;\tx\t=\ty\r\na\r\n", status::need_more, "a", 14},
            {"1;x \r\na\r\n", status::refused, "", 4},
            {"0\r\n: b\r\n\r\n", status::refused, "", 3},
        };
        for (const row& r : rows) {
            CAPTURE(r.wire);
            for (std::size_t piece = 1; piece <= r.wire.size() + 1; ++piece) {
                CAPTURE(piece);
                const outcome o = decode(r.wire, piece);
                CHECK(o.what == r.what);
                CHECK(o.body == r.body);
                CHECK(o.consumed == r.consumed);
                CHECK(o.code == (r.what == status::refused ? 400 : 0));
            }
        }
    }

    TEST_CASE("the largest size is accepted, one digit more is not") {
        CHECK(decode("ffffffffffffffff\r\nx", 64).what == status::need_more);
        CHECK(decode("ffffffffffffffff0\r\n", 64).what == status::refused);
        CHECK(decode("10000000000000000\r\n", 64).what == status::refused);
        CHECK(decode(std::string(16, '0') + "ffffffffffffffff\r\n", 64).what == status::need_more);
        CHECK(decode(std::string(33, '0'), 64).what == status::refused);
    }

    TEST_CASE("the limit counts body bytes, not framing, and cannot wrap") {
        CHECK(decode("2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 64, 3).what == status::complete);
        CHECK(decode("2\r\nab\r\n2\r\n", 64, 3) == outcome{status::refused, "ab", 9, 413});
        CHECK(decode("2\r\nab\r\nffffffffffffffff\r\n", 64, 3).code == 413);
    }

    TEST_CASE("trailers have a limit of their own") {
        CHECK(decode("0\r\nA: bcde\r\n\r\n", 64, 0, 9).what == status::complete);
        CHECK(decode("0\r\nA: bcdef\r\n\r\n", 64, 0, 9).what == status::refused);
    }
}
