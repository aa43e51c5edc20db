// SPDX-License-Identifier: MIT
// The wait for a next request, built in both ways: on the reactor of an old Boost and on the public
// interface that a newer one is used by.
#include "worker/socket_stream.hpp"
#include "aio/task_group.hpp"
#include "support/doctest.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using unicoro::awaitable;
using unicoro::error_code;
using unicoro::worker::byte_stream;
using unicoro::worker::io_status;

namespace {

// One that completes for nothing is begun again, as a connection does; it must not go on so.
awaitable<void> wait(byte_stream& stream, std::optional<error_code>& outcome) {
    constexpr int most_for_nothing = 3;
    for (int i = 0; i <= most_for_nothing; ++i) {
        const auto [ec] = co_await stream.wait_idle();
        const bool again = ec == boost::asio::error::try_again || (!ec && !stream.readable_now());
        if (!again) {
            outcome = ec;
            co_return;
        }
    }
    FAIL("the wait completes for nothing again and again");
}

awaitable<void> wait_once(byte_stream& stream, std::optional<error_code>& outcome) {
    const auto [ec] = co_await stream.wait_idle();
    outcome = ec;
}

class idle_stream {
  public:
    idle_stream() {
        std::array<int, 2> ends{};
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
        stream = factory_.make(AF_UNIX, ends[0]);
        client_ = ends[1];
    }
    idle_stream(const idle_stream&) = delete;
    idle_stream& operator=(const idle_stream&) = delete;
    ~idle_stream() {
        stream->close();
        io.run_for(100ms);
        hang_up();
    }

    void begin_wait() {
        outcome.reset();
        tasks_.spawn("wait", wait(*stream, outcome));
        io.restart();
        io.run_for(1ms);
    }
    /// One wait, whatever ends it.
    error_code wait_alone() {
        outcome.reset();
        tasks_.spawn("wait", wait_once(*stream, outcome));
        REQUIRE(ended_within(5s));
        return *outcome;
    }
    bool ended_within(std::chrono::milliseconds time) {
        const auto end = std::chrono::steady_clock::now() + time;
        while (!outcome && std::chrono::steady_clock::now() < end) {
            io.restart();
            io.run_one_for(5ms);
        }
        return outcome.has_value();
    }
    void client_sends(std::string_view bytes) const {
        REQUIRE(send(client_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    }
    void hang_up() {
        if (client_ >= 0) close(client_);
        client_ = -1;
    }
    /// What one read with so much room gives; "end" at the end.
    std::string read(std::size_t room) {
        std::string into(room, '\0');
        const auto step = stream->try_read(into);
        if (step.status == io_status::end) return "end";
        return into.substr(0, step.bytes);
    }

    boost::asio::io_context io{1};
    std::unique_ptr<byte_stream> stream;
    std::optional<error_code> outcome;

  private:
    unicoro::aio::task_group tasks_{io};
    unicoro::aio::deadline_service deadlines_{io};
    unicoro::worker::socket_streams factory_{io, deadlines_};
    int client_ = -1;
};

}  // namespace

TEST_SUITE("socket_stream, waiting for a next request") {
    TEST_CASE("the wait ends when bytes come, again and again") {
        idle_stream idle;
        for (int i = 0; i < 3; ++i) {
            idle.begin_wait();
            CHECK_FALSE(idle.ended_within(20ms));
            idle.client_sends("next");
            CHECK(idle.ended_within(5s));
            CHECK_FALSE(*idle.outcome);
            CHECK(idle.read(100) == "next");
        }
    }

    TEST_CASE("it goes on through the second look") {
        idle_stream idle;
        idle.client_sends("x");
        CHECK(idle.read(100) == "x");
        idle.begin_wait();
        CHECK_FALSE(idle.ended_within(300ms));
        idle.client_sends("y");
        CHECK(idle.ended_within(5s));
        CHECK(idle.read(100) == "y");
    }

    TEST_CASE("what one read has left ends it at once") {
        idle_stream idle;
        idle.client_sends("four more");
        CHECK(idle.read(4) == "four");
        idle.begin_wait();
        CHECK(idle.ended_within(5s));
        CHECK(idle.read(100) == " more");
    }

    TEST_CASE("what comes while nobody waits ends the next wait, also behind the second look") {
        idle_stream idle;
        idle.client_sends("x");
        CHECK(idle.read(100) == "x");
        if (UNICORO_EDGE_WAIT != 0) {
            // The first may complete for nothing. The public wait has no second look.
            error_code ended = idle.wait_alone();
            if (!ended) ended = idle.wait_alone();
            CHECK(ended == boost::asio::error::try_again);
        }
        idle.client_sends("y");
        idle.io.restart();
        idle.io.run_for(20ms);
        CHECK_FALSE(idle.wait_alone());
        CHECK(idle.read(100) == "y");
    }

    TEST_CASE("an end of file that came with the last bytes ends it") {
        idle_stream idle;
        idle.client_sends("last");
        idle.hang_up();
        CHECK(idle.read(100) == "last");
        idle.begin_wait();
        CHECK(idle.ended_within(5s));
        CHECK_FALSE(*idle.outcome);
        CHECK(idle.read(100) == "end");
    }

    TEST_CASE("a later end of file ends it, too") {
        idle_stream idle;
        idle.begin_wait();
        CHECK_FALSE(idle.ended_within(100ms));
        idle.hang_up();
        CHECK(idle.ended_within(5s));
        CHECK(idle.read(100) == "end");
    }

    TEST_CASE("cancel ends it with operation_aborted, and another can begin") {
        idle_stream idle;
        idle.begin_wait();
        idle.stream->cancel();
        CHECK(idle.ended_within(5s));
        CHECK(*idle.outcome == boost::asio::error::operation_aborted);
        idle.begin_wait();
        idle.client_sends("z");
        CHECK(idle.ended_within(5s));
        CHECK_FALSE(*idle.outcome);
    }

    TEST_CASE("a step that fails says why") {
        idle_stream idle;
        idle.hang_up();
        const iovec piece{const_cast<char*>("x"), 1};
        const auto step = idle.stream->try_write(std::span(&piece, 1));
        CHECK(step.status == io_status::failed);
        CHECK(step.why == boost::system::errc::broken_pipe);
    }
}
