// SPDX-License-Identifier: MIT
// A client's socket that somebody else has too.
#include "aio/task_group.hpp"
#include "app/connection_offer.hpp"
#include "support/doctest.hpp"
#include "worker/socket_stream.hpp"

#include <boost/asio/io_context.hpp>

#include <sys/socket.h>

#include <array>
#include <chrono>
#include <memory>
#include <utility>

using namespace std::chrono_literals;
using unicoro::os::unique_fd;
using unicoro::worker::socket_stream;

namespace {

struct socket_pair {
    socket_pair() {
        std::array<int, 2> ends{};
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
        server.reset(ends[0]);
        client.reset(ends[1]);
    }
    std::unique_ptr<socket_stream> stream(unicoro::asio::io_context& io) {
        return std::make_unique<socket_stream>(io, AF_UNIX, server.release());
    }

    unique_fd server;
    unique_fd client;
};

ssize_t receive(const unique_fd& from) {
    char byte = 0;
    return recv(from.get(), &byte, 1, MSG_DONTWAIT);
}

unicoro::awaitable<void> tell(socket_stream& stream, bool& told) {
    const auto [ec] = co_await stream.wait_readable();
    told = !ec;
}

class counted_offer final : public unicoro::app::connection_offer {
  public:
    counted_offer() : connection_offer(unique_fd()) {}
    int taken = 0;

  private:
    void on_taken() override { ++taken; }
    void on_released() override {}
};

}  // namespace

TEST_SUITE("a duplicated stream") {
    TEST_CASE("its close is the end for both sides") {
        unicoro::asio::io_context io;
        socket_pair ends;
        auto stream = ends.stream(io);
        const unique_fd copy = stream->duplicate();
        REQUIRE(copy);
        CHECK(receive(copy) < 0);
        stream->close();
        CHECK(receive(copy) == 0);
        CHECK(receive(ends.client) == 0);
    }

    TEST_CASE("what is destroyed is closed") {
        unicoro::asio::io_context io;
        socket_pair ends;
        const unique_fd copy = ends.stream(io)->duplicate();
        CHECK(receive(ends.client) == 0);
    }

    // Its registration with epoll would live on with the copy, and tell the next stream in its place.
    TEST_CASE("the copy tells the loop nothing after that") {
        unicoro::asio::io_context io;
        socket_pair first;
        socket_pair second;
        unique_fd copy;
        {
            const auto stream = first.stream(io);
            copy = stream->duplicate();
        }
        const auto next = second.stream(io);
        bool told = false;
        unicoro::aio::task_group tasks(io);
        tasks.spawn("wait", tell(*next, told));
        io.run_for(50ms);
        CHECK(!told);
        REQUIRE(send(second.client.get(), "x", 1, 0) == 1);
        io.run_for(1s);
        CHECK(told);
    }
}

TEST_SUITE("an offered connection") {
    TEST_CASE("is taken once, and then cannot be withdrawn") {
        counted_offer offer;
        CHECK(offer.take());
        CHECK(offer.take());
        CHECK(offer.taken == 1);
        CHECK(!offer.withdraw());
    }

    TEST_CASE("that is withdrawn cannot be taken") {
        counted_offer offer;
        CHECK(offer.withdraw());
        CHECK(offer.withdraw());
        CHECK(!offer.take());
        CHECK(offer.taken == 0);
    }
}
