// SPDX-License-Identifier: MIT
#include "http/websocket_codec.hpp"

#include "support/doctest.hpp"
#include "unit/http/client_frames.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace unicoro::http;
using unicoro::test::client_frame;
using unicoro::test::events_of;
using op = websocket_opcode;
using lines = std::vector<std::string>;

constexpr std::uint8_t whole = websocket_final;
constexpr std::uint8_t part = 0;
constexpr std::uint64_t limit = 100'000;

/// The same events for every kind of pieces.
lines decoded(const std::string& bytes, const std::optional<deflate_agreement>& deflate = {}) {
    websocket_decoder first(limit, deflate);
    lines events = events_of(first, bytes, bytes.size());
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 1000U}) {
        websocket_decoder decoder(limit, deflate);
        CHECK(events_of(decoder, bytes, piece) == events);
    }
    return events;
}

std::string compressed(std::string_view message, websocket_deflater& by) {
    std::string payload;
    while (!by.compress(message, payload)) {
    }
    return payload;
}

/// What a client makes of a server's frames for one message.
std::string sent(websocket_encoder& encoder, op opcode, const std::string& message, std::size_t* frames) {
    std::string all;
    bool last = false;
    for (*frames = 0; !last; ++*frames) {
        std::string head;
        const auto frame = encoder.next(head, opcode, message);
        all.append(head).append(frame.body);
        last = frame.last;
    }
    return all;
}

}  // namespace

TEST_SUITE("websocket_decoder") {
    TEST_CASE("messages of every form of length") {
        for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 128U, 65535U, 65536U, 100'000U}) {
            const std::string data(size, 'x');
            CHECK(decoded(client_frame(op::text, data)) == lines{"text:" + data});
            CHECK(decoded(client_frame(op::binary, data)) == lines{"binary:" + data});
        }
    }

    TEST_CASE("pings and pongs, also between fragments") {
        const std::string longest(125, 'p');
        CHECK(decoded(client_frame(op::ping, longest)) == lines{"ping:" + longest});
        CHECK(decoded(client_frame(op::pong, "")) == lines{"pong:"});
        CHECK(
            decoded(
                client_frame(op::text, "a", part) + client_frame(op::ping, "1") +
                client_frame(op::continuation, "", part) + client_frame(op::pong, "2") +
                client_frame(op::continuation, "b") + client_frame(op::text, "c")
            ) == lines{"ping:1", "pong:2", "text:ab", "text:c"}
        );
    }

    TEST_CASE("mistakes of framing") {
        const std::string begun = client_frame(op::text, "a", part);
        const std::string not_canonical_16("\x82\xfe\x00\x7d\0\0\0\0", 8);
        const std::string not_canonical_64("\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0", 14);
        for (const std::string& wrong :
             {client_frame(op::text, "a", whole | 0x40U),
              client_frame(op::text, "a", whole | 0x20U),
              client_frame(op::binary, "a", whole | 0x10U),
              client_frame(op::ping, "a", whole | 0x40U),
              client_frame(op{0x3}, ""),
              client_frame(op{0xB}, ""),
              client_frame(op{0xF}, "", part),
              client_frame(op::ping, "a", part),
              client_frame(op::ping, std::string(126, 'p')),
              client_frame(op::close, std::string(126, 'p')),
              client_frame(op::continuation, "a"),
              begun + client_frame(op::text, "b"),
              begun + client_frame(op::continuation, "b", whole | 0x40U),
              std::string("\x81\x01x"),
              not_canonical_16,
              not_canonical_64}) {
            CHECK(decoded(wrong) == lines{"failure:1002"});
        }
    }

    TEST_CASE("a mistake in the first two bytes is told at once") {
        websocket_decoder decoder(limit, {});
        CHECK(events_of(decoder, "\x83\x80", 1) == lines{"failure:1002"});
    }

    TEST_CASE("closes") {
        CHECK(decoded(client_frame(op::close, "")) == lines{"close:1005 "});
        CHECK(decoded(client_frame(op::close, close_payload(1000, "bye"))) == lines{"close:1000 bye"});
        const std::string reason(123, 'r');
        CHECK(decoded(client_frame(op::close, close_payload(4999, reason))) == lines{"close:4999 " + reason});
        for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535}) {
            const std::string payload = close_payload(static_cast<std::uint16_t>(code), "");
            CHECK(decoded(client_frame(op::close, payload)) == lines{"failure:1002"});
        }
        CHECK(decoded(client_frame(op::close, "\x03")) == lines{"failure:1002"});
        CHECK(decoded(client_frame(op::close, close_payload(1000, "\xff"))) == lines{"failure:1002"});
        CHECK(decoded(client_frame(op::close, close_payload(1000, "\xe2\x98"))) == lines{"failure:1002"});
    }

    TEST_CASE("UTF-8 over fragments") {
        const std::string text = "\xce\xba\xe2\x98\x83\xf0\x9d\x84\x9e";
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            CHECK(
                decoded(
                    client_frame(op::text, text.substr(0, cut), part) +
                    client_frame(op::continuation, text.substr(cut), part) +
                    client_frame(op::continuation, "")
                ) == lines{"text:" + text}
            );
        }
        for (const std::string_view wrong : {"\xc3\x28", "\xed\xa0\x80", "\xc0\xaf", "ab\xe2\x98", "\xf5"}) {
            CHECK(decoded(client_frame(op::text, wrong)) == lines{"failure:1007"});
            CHECK(decoded(client_frame(op::binary, wrong)) == lines{"binary:" + std::string(wrong)});
        }
        CHECK(
            decoded(client_frame(op::text, "\xe2\x98", part) + client_frame(op::continuation, "")) ==
            lines{"failure:1007"}
        );
    }

    TEST_CASE("invalid text fails before its frame has come") {
        websocket_decoder decoder(limit, {});
        const std::string frame = client_frame(op::text, "good\xff" + std::string(1000, 'x'), part);
        CHECK(events_of(decoder, frame.substr(0, 20), 20) == lines{"failure:1007"});
    }

    TEST_CASE("the limit is for messages, and counts what is announced") {
        const std::string most(limit, 'x');
        CHECK(decoded(client_frame(op::binary, most)) == lines{"binary:" + most});
        websocket_decoder decoder(limit, {});
        const std::string frame = client_frame(op::binary, most + "x");
        CHECK(events_of(decoder, frame.substr(0, 14), 14) == lines{"failure:1009"});
        CHECK(
            decoded(client_frame(op::binary, most, part) + client_frame(op::continuation, "x")) ==
            lines{"failure:1009"}
        );
        const std::string huge("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14);
        CHECK(decoded(huge) == lines{"failure:1009"});
        websocket_decoder unlimited(0, {});
        CHECK(events_of(unlimited, huge, 1) == lines{"failure:1002"});
    }
}

TEST_SUITE("permessage-deflate") {
    TEST_CASE("offers") {
        const auto answer_to = [](std::string_view offers) {
            std::string answer = "none";
            [[maybe_unused]] const auto agreed = accept_deflate(offers, answer);
            return answer;
        };
        CHECK(answer_to("permessage-deflate") == "permessage-deflate; server_max_window_bits=12");
        CHECK(
            answer_to("x-other, permessage-deflate; client_max_window_bits; server_max_window_bits=10") ==
            "permessage-deflate; server_max_window_bits=10"
        );
        CHECK(
            answer_to("permessage-deflate; client_max_window_bits=9; client_no_context_takeover") ==
            "permessage-deflate; client_no_context_takeover; server_max_window_bits=12; "
            "client_max_window_bits=9"
        );
        for (const std::string_view wrong :
             {"",
              "gibberish",
              "permessage-deflate; x=1",
              "permessage-deflate; server_max_window_bits",
              "permessage-deflate; server_max_window_bits=7",
              "permessage-deflate; client_max_window_bits=16",
              "permessage-deflate; server_no_context_takeover=1",
              "permessage-deflate; client_no_context_takeover; client_no_context_takeover"}) {
            CHECK(answer_to(wrong) == "none");
        }
    }

    TEST_CASE("compressed messages, with and without context") {
        deflate_agreement agreed;
        SUBCASE("kept") {}
        SUBCASE("not kept") {
            agreed.client_keeps_context = agreed.server_keeps_context = false;
        }
        SUBCASE("small windows") {
            agreed.client_window_bits = agreed.server_window_bits = 9;
        }
        std::string text;
        for (int i = 0; i < 12'000; ++i) text += std::to_string(i * 7919 % 10'007) + "\xe2\x98\x83";
        text.resize(text.size() / 13 * 13);
        text = text.substr(0, 99'990);
        while ((static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.pop_back();
        text.pop_back();
        // A client compresses as a server does.
        deflate_agreement mirrored = agreed;
        mirrored.server_window_bits = agreed.client_window_bits;
        mirrored.server_keeps_context = agreed.client_keeps_context;
        websocket_deflater client(mirrored);
        const std::string first = compressed(text, client);
        const std::string second = compressed(text, client);
        const std::string empty = compressed("", client);
        CHECK(first.size() < text.size() / 2);
        const std::string cut = first.substr(0, 100);
        CHECK(
            decoded(
                client_frame(op::text, first, whole | websocket_compressed) +
                    client_frame(op::text, second.substr(0, 100), websocket_compressed) +
                    client_frame(op::ping, "") + client_frame(op::continuation, "", part) +
                    client_frame(op::continuation, second.substr(100), part) +
                    client_frame(op::continuation, "") +
                    client_frame(op::binary, empty, whole | websocket_compressed) +
                    client_frame(op::binary, "plain"),
                agreed
            ) == lines{"text:" + text, "ping:", "text:" + text, "binary:", "binary:plain"}
        );
    }

    TEST_CASE("compressed attacks") {
        const deflate_agreement agreed;
        const auto message = [&](std::string_view data, op opcode) {
            websocket_deflater fresh(agreed);
            return client_frame(opcode, compressed(data, fresh), whole | websocket_compressed);
        };
        const std::string most(limit, '\0');
        CHECK(decoded(message(most, op::binary), agreed) == lines{"binary:" + most});
        CHECK(decoded(message(std::string(limit + 1, '\0'), op::binary), agreed) == lines{"failure:1009"});
        CHECK(decoded(message("\xc3\x28", op::text), agreed) == lines{"failure:1007"});
        for (const std::string_view garbage :
             {std::string_view("\x07\x00", 2), std::string_view("\xff\xff\xff")}) {
            CHECK(
                decoded(client_frame(op::binary, garbage, whole | websocket_compressed), agreed) ==
                lines{"failure:1007"}
            );
        }
        CHECK(
            decoded(
                client_frame(op::text, "", websocket_compressed) +
                    client_frame(op::continuation, "", whole | websocket_compressed),
                agreed
            ) == lines{"failure:1002"}
        );
    }
}

TEST_SUITE("websocket_encoder") {
    TEST_CASE("without compression a message is one frame, and is not copied") {
        websocket_encoder encoder({});
        const std::string message(70'000, 'm');
        std::string head;
        const auto frame = encoder.next(head, op::text, message);
        CHECK(head == std::string("\x81\x7f\0\0\0\0\0\x01\x11\x70", 10));
        CHECK(frame.last);
        CHECK(frame.body.data() == message.data());
    }

    TEST_CASE("short messages are not compressed") {
        websocket_encoder encoder(deflate_agreement{});
        std::size_t frames = 0;
        CHECK(sent(encoder, op::text, "short", &frames) == "\x81\x05short");
    }

    TEST_CASE("long messages go out in frames, and are what was sent") {
        deflate_agreement agreed;
        SUBCASE("with context") {}
        SUBCASE("without") {
            agreed.server_keeps_context = false;
        }
        websocket_encoder encoder(agreed);
        deflate_agreement mirrored = agreed;
        mirrored.client_keeps_context = agreed.server_keeps_context;
        websocket_decoder client(0, mirrored);
        std::string noise;
        std::uint32_t state = 1;
        for (int i = 0; i < 100'000; ++i)
            noise += static_cast<char>((state = state * 1103515245U + 12345U) >> 16U);
        for (const std::string& message : {noise, std::string(64, 'a'), std::string(300'000, 'b'), noise}) {
            std::size_t frames = 0;
            std::string wire = sent(encoder, op::binary, message, &frames);
            CHECK(frames == (message == noise ? 7 : 1));
            // As a client would have sent it.
            std::string masked;
            for (std::size_t at = 0; at < wire.size();) {
                const auto short_size = static_cast<unsigned char>(wire[at + 1]);
                std::size_t size = short_size;
                std::size_t head = 2;
                if (short_size == 126) {
                    size = static_cast<std::size_t>(static_cast<unsigned char>(wire[at + 2])) << 8U |
                           static_cast<unsigned char>(wire[at + 3]);
                    head = 4;
                }
                const auto first = static_cast<unsigned char>(wire[at]);
                masked += client_frame(
                    op{static_cast<std::uint8_t>(first & 0x0FU)},
                    std::string_view(wire).substr(at + head, size),
                    static_cast<std::uint8_t>(first & 0xF0U)
                );
                at += head + size;
            }
            CHECK(events_of(client, masked, masked.size()) == lines{"binary:" + message});
        }
    }
}
