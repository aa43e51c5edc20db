// SPDX-License-Identifier: MIT
#include "http/websocket_frame.hpp"
#include "support/doctest.hpp"

#include <string>

using namespace unicoro::http;

TEST_SUITE("websocket_frame") {
    TEST_CASE("the length takes 7, 16 or 64 bits") {
        const auto head = [](std::size_t size) {
            std::string frame;
            append_websocket_frame(frame, websocket_opcode::binary, std::string(size, 'x'));
            return frame.substr(0, frame.size() - size);
        };
        CHECK(head(0) == std::string("\x82\x00", 2));
        CHECK(head(125) == "\x82\x7d");
        CHECK(head(126) == std::string("\x82\x7e\x00\x7e", 4));
        CHECK(head(65535) == "\x82\x7e\xff\xff");
        CHECK(head(65536) == std::string("\x82\x7f\0\0\0\0\0\x01\0\0", 10));
    }

    TEST_CASE("a close frame") {
        std::string frame = "before";
        append_websocket_frame(frame, websocket_opcode::close, close_payload(1012, "bye"));
        CHECK(
            frame ==
            "before\x88\x05\x03\xf4"
            "bye"
        );
    }

    TEST_CASE("a reason is cut between characters") {
        CHECK(cut_close_reason("short") == "short");
        CHECK(cut_close_reason(std::string(200, 'a')).size() == 123);
        std::string text(122, 'a');
        text += "\xe2\x98\x83";
        CHECK(cut_close_reason(text) == std::string(122, 'a'));
    }

    TEST_CASE("codes of a close frame") {
        for (const int code : {1000, 1003, 1007, 1014, 3000, 4999}) {
            CHECK(is_close_code(static_cast<std::uint16_t>(code)));
        }
        for (const int code : {0, 999, 1004, 1005, 1006, 1015, 2999, 5000}) {
            CHECK_FALSE(is_close_code(static_cast<std::uint16_t>(code)));
        }
    }
}
