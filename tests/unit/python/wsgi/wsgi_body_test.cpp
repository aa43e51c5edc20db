// SPDX-License-Identifier: MIT
// How bodies leave: lists, iterables, files; and close().
#include "support/doctest.hpp"
#include "unit/python/hosted.hpp"

#include <boost/asio/co_spawn.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <vector>

using unicoro::testing::fake_exchange;
using unicoro::testing::python;
using unicoro::testing::serve;
using unicoro::testing::take_log;

TEST_SUITE("bodies") {
    TEST_CASE("lists are answered as a whole") {
        fake_exchange small("/hello");
        serve(small);
        CHECK(small.responded);
        CHECK(small.body == "hello");
        CHECK(small.field("Content-Length") == "5");

        fake_exchange none("/nothing");
        serve(none);
        CHECK(none.status() == 204);
        CHECK(none.body.empty());

        fake_exchange large("/large");
        serve(large);
        CHECK(large.sent_whole);
        CHECK(large.body.size() == 100000);
        CHECK(large.field("Content-Length") == "100000");
    }

    TEST_CASE("iterables go out piece by piece, the head with the first byte") {
        fake_exchange pieces("/generator");
        serve(pieces);
        CHECK(pieces.pieces == std::vector<std::string>{"one", "two"});
        CHECK(pieces.finished);
        CHECK_FALSE(pieces.field("Content-Length"));

        fake_exchange late("/late");
        serve(late);
        CHECK(late.status() == 202);
        CHECK(late.body == "late");
    }

    TEST_CASE("the length is known of an iterable with one item") {
        fake_exchange request("/single");
        serve(request);
        CHECK(request.field("Content-Length") == "6");
        CHECK(request.body == "single");
    }

    TEST_CASE("a large body in one piece leaves when the application is done with it") {
        python("closed.clear()");
        fake_exchange request("/announced");
        serve(request);
        CHECK(request.sent_whole);
        CHECK(request.body.size() == 100000);
        CHECK(python("closed") == "['announced']");
    }

    TEST_CASE("close is called once, however the response ends") {
        struct row {
            const char* path;
            int writes_until_failure;
        };
        const row rows[] = {
            {"/closing", -1},
            {"/closing", 0},
            {"/closing", 1},
            {"/announced", 0},
            {"/single", 0},
            {"/raises_later", -1},
            {"/raises_at_once", -1},
            {"/str_iter", -1},
            {"/close_fails", -1},
        };
        for (const row& each : rows) {
            CAPTURE(each.path);
            CAPTURE(each.writes_until_failure);
            python("closed.clear()");
            fake_exchange request(each.path);
            request.writes_until_failure = each.writes_until_failure;
            serve(request);
            CHECK(python("len(closed)") == "1");
        }
        CHECK(take_log().find("close() of the response failed") != std::string::npos);
    }

    TEST_CASE("close is called when the coroutine is destroyed while it waits") {
        python("closed.clear()");
        fake_exchange request("/closing");
        {
            boost::asio::io_context other{1};
            unicoro::testing::gate_timer gate(other, std::chrono::hours(1));
            request.gate = &gate;
            boost::asio::co_spawn(
                other.get_executor(),
                unicoro::testing::the_host().handle(request),
                [](const std::exception_ptr&) {}
            );
            other.poll();
            CHECK(python("len(closed)") == "0");
        }
        CHECK(python("len(closed)") == "1");
        fake_exchange next("/hello");
        serve(next);
        CHECK(next.body == "hello");
    }

    TEST_CASE("a response that streams keeps others out of the application") {
        python("seen.pop('order', None)");
        unicoro::testing::gate_timer gate(unicoro::testing::loop(), std::chrono::milliseconds(50));
        fake_exchange first("/order?a");
        first.gate = &gate;
        fake_exchange second("/order?b");
        fake_exchange third("/order?c");
        serve({&first, &second, &third});
        CHECK(python("seen['order']") == "['a', 'a ends', 'b', 'b ends', 'c', 'c ends']");
        CHECK(first.body == "firstsecond");
        CHECK(third.body == "firstsecond");
    }

    TEST_CASE("a slow client of a whole response does not") {
        unicoro::testing::gate_timer gate(unicoro::testing::loop(), std::chrono::milliseconds(50));
        for (const char* path : {"/large", "/announced", "/file"}) {
            CAPTURE(path);
            gate.expires_after(std::chrono::milliseconds(50));
            fake_exchange slow(path);
            slow.gate = &gate;
            fake_exchange quick("/hello");
            serve({&slow, &quick});
            CHECK(quick.body == "hello");
            CHECK(slow.body.size() >= 100);
        }
    }

    TEST_CASE("the end of a slow whole response does not touch the request that runs meanwhile") {
        unicoro::testing::gate_timer soon(unicoro::testing::loop(), std::chrono::milliseconds(20));
        unicoro::testing::gate_timer later(unicoro::testing::loop(), std::chrono::milliseconds(60));
        fake_exchange slow("/large");
        slow.gate = &soon;
        fake_exchange streaming("/write_later");
        streaming.gate = &later;
        serve({&slow, &streaming});
        CHECK(slow.sent_whole);
        CHECK(streaming.failed_with == 0);
        CHECK(streaming.body == "abc");
    }
}

TEST_SUITE("file_wrapper") {
    TEST_CASE("files are sent from their position, without Python") {
        fake_exchange whole("/file");
        serve(whole);
        CHECK(whole.file_bytes == 100);
        CHECK(whole.field("Content-Length") == "100");
        CHECK(python("seen['file'].closed") == "True");

        fake_exchange part("/file_part");
        serve(part);
        CHECK(part.file_bytes == 10);
        CHECK(part.body == "5678901234");
        CHECK(part.field("Content-Length") == "10");

        fake_exchange empty("/file_empty");
        serve(empty);
        CHECK(empty.file_bytes == 0);
        CHECK(empty.field("Content-Length") == "0");
        CHECK(empty.finished);
    }

    TEST_CASE("what only looks like a file is iterated") {
        fake_exchange packed("/file_gzip");
        serve(packed);
        CHECK(packed.file_bytes == 0);
        CHECK(packed.body == "unpacked");

        fake_exchange memory("/file_memory");
        serve(memory);
        CHECK(memory.pieces == std::vector<std::string>{"in m", "emor", "y"});
        CHECK(python("seen['file'].closed") == "True");

        fake_exchange wrapped("/file_wrapped");
        serve(wrapped);
        CHECK(wrapped.file_bytes == 0);
        CHECK(wrapped.body.size() == 100);
    }
}
