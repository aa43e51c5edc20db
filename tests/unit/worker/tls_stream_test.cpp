// SPDX-License-Identifier: MIT
// What stands between a connection and its encrypted bytes.
#include "worker/tls_stream.hpp"

#include "aio/task_group.hpp"
#include "support/doctest.hpp"
#include "tls/context.hpp"
#include "unit/tls/test_certificate.hpp"
#include "unit/tls/test_client.hpp"
#include "unit/worker/memory_stream.hpp"

#include <boost/asio/io_context.hpp>

#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asio = boost::asio;
using unicoro::worker::handshake_places;
using unicoro::worker::io_status;
using unicoro::worker::io_step;
using unicoro::worker::tls_stream;
using worker_test::memory_stream;

namespace {

std::shared_ptr<const unicoro::tls::context> serving() {
    auto made = unicoro::tls::context::make(unicoro::tls::make_material());
    REQUIRE(made.has_value());
    return *made;
}

unicoro::awaitable<void> wait_idle(tls_stream& stream, int& over) {
    const auto [failed] = co_await stream.wait_idle();
    over = failed ? -1 : 1;
}

/// A stream on one in memory, and a client that has nothing but its bytes.
struct encrypted {
    explicit encrypted(handshake_places& places) {
        auto made = std::make_unique<memory_stream>(io);
        beneath = made.get();
        stream = std::make_unique<tls_stream>(io, serving(), places, gathered, counts);
        stream->put_on(std::move(made));
        tasks.spawn("idle", wait_idle(*stream, met));
    }

    void carry() {
        beneath->client_sends(client.to_server());
        io.restart();
        io.poll();
        client.from_server(std::string_view(beneath->sent()).substr(carried));
        carried = beneath->sent().size();
    }

    void meet() {
        for (int turn = 0; turn < 10 && met == 0; ++turn) {
            client.shake_hands();
            carry();
        }
    }

    io_step write(std::string_view text) {
        const iovec piece{const_cast<char*>(text.data()), text.size()};
        return stream->try_write(std::span<const iovec>(&piece, 1));
    }

    asio::io_context io;
    unicoro::scoreboard::words words{};
    unicoro::scoreboard::counting counts{words};
    std::vector<char> gathered = std::vector<char>(16384);
    memory_stream* beneath = nullptr;
    std::unique_ptr<tls_stream> stream;
    unicoro::tls::test_client client;
    unicoro::aio::task_group tasks{io};
    std::size_t carried = 0;
    int met = 0;  // 1 = yes, -1 = never
};

}  // namespace

TEST_SUITE_BEGIN("tls_stream");

TEST_CASE("the first idle wait makes the handshake") {
    handshake_places places(0);
    encrypted to(places);
    std::array<char, 100> into{};
    CHECK(to.stream->try_read(into).status == io_status::would_block);
    to.meet();
    REQUIRE(to.met == 1);
    to.client.send("hello");
    to.carry();
    const io_step came = to.stream->try_read(into);
    CHECK(std::string_view(into.data(), came.bytes) == "hello");
    CHECK(to.write("answer").bytes == 6);
    to.carry();
    CHECK(to.client.received() == "answer");
}

TEST_CASE("pieces go out in one record") {
    handshake_places places(0);
    encrypted to(places);
    to.meet();
    std::array<std::string, 3> texts{"head ", "", "body"};
    std::vector<iovec> pieces;
    for (std::string& each : texts) pieces.push_back({each.data(), each.size()});
    CHECK(to.stream->try_write(pieces).bytes == 9);
    to.carry();
    CHECK(to.client.received() == "head body");
}

TEST_CASE("what was given up for want of room goes out before what comes instead") {
    handshake_places places(0);
    encrypted to(places);
    to.meet();
    to.beneath->leave_room(0);
    CHECK(to.write("100 Continue ").status == io_status::would_block);
    CHECK(to.write("200 OK").status == io_status::would_block);
    to.beneath->leave_room(100'000);
    CHECK(to.write("200 OK").bytes == 6);
    to.carry();
    CHECK(to.client.received() == "100 Continue 200 OK");
}

TEST_CASE("what is tried again goes out once") {
    handshake_places places(0);
    encrypted to(places);
    to.meet();
    to.beneath->leave_room(10);
    CHECK(to.write("the response").status == io_status::would_block);
    to.beneath->leave_room(100'000);
    CHECK(to.write("the response").bytes == 12);
    to.carry();
    CHECK(to.client.received() == "the response");
}

TEST_CASE("a file that changes while it is sent is not sent twice") {
    handshake_places places(0);
    encrypted to(places);
    to.meet();
    std::FILE* const file = std::tmpfile();
    REQUIRE(file != nullptr);
    REQUIRE(std::fputs("as it was", file) >= 0);
    REQUIRE(std::fflush(file) == 0);
    std::uint64_t offset = 0;
    to.beneath->leave_room(0);
    CHECK(to.stream->try_send_file(fileno(file), offset, 9).status == io_status::would_block);
    REQUIRE(pwrite(fileno(file), "AND NOW..", 9, 0) == 9);
    to.beneath->leave_room(100'000);
    CHECK(to.stream->try_send_file(fileno(file), offset, 9).bytes == 9);
    CHECK(offset == 9);
    std::fclose(file);
    to.carry();
    CHECK(to.client.received() == "as it was");
}

TEST_CASE("handshakes beyond the ceiling wait for their turn, or are cancelled") {
    handshake_places places(1);
    encrypted first(places);
    first.client.shake_hands();
    first.carry();
    encrypted second(places);
    second.meet();
    CHECK(second.met == 0);
    SUBCASE("until one is over") {
        first.meet();
        CHECK(first.met == 1);
        second.meet();
        CHECK(second.met == 1);
    }
    SUBCASE("until one has gone") {
        first.stream->cancel();
        first.io.restart();
        first.io.poll();
        CHECK(first.met == -1);
        first.stream.reset();
        second.meet();
        CHECK(second.met == 1);
    }
    SUBCASE("no longer than they are wanted") {
        second.stream->cancel();
        second.io.restart();
        second.io.poll();
        CHECK(second.met == -1);
        first.meet();
        CHECK(first.met == 1);
    }
}

TEST_SUITE_END();
