// SPDX-License-Identifier: MIT
#include "python/wsgi/turnstile.hpp"
#include "support/doctest.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <exception>
#include <memory>
#include <string>

using unicoro::awaitable;
using unicoro::python::turnstile;

namespace {

struct record {
    std::string events;
};

awaitable<void> pass(turnstile& door, record& log, char name) {
    const turnstile::turn mine = co_await door.enter();
    log.events += mine ? name : '-';
}

/// A coroutine of the test, with its cancellation.
struct visitor {
    boost::asio::cancellation_signal signal;

    void go(boost::asio::io_context& io, awaitable<void> what) {
        boost::asio::co_spawn(
            io.get_executor(),
            std::move(what),
            boost::asio::bind_cancellation_slot(signal.slot(), [](const std::exception_ptr&) {})
        );
    }
};

}  // namespace

TEST_SUITE("turnstile") {
    TEST_CASE("first come, first served") {
        boost::asio::io_context io{1};
        turnstile door(io);
        record log;
        visitor a;
        visitor b;
        turnstile::turn held = door.try_enter();
        REQUIRE(held);
        CHECK_FALSE(door.try_enter());
        a.go(io, pass(door, log, 'a'));
        b.go(io, pass(door, log, 'b'));
        io.poll();
        CHECK(log.events.empty());
        held.release();
        io.poll();
        CHECK(log.events == "ab");
        CHECK(door.try_enter());
    }

    TEST_CASE("who is cancelled leaves the line, at its head, end or middle") {
        for (int cancelled = 0; cancelled < 3; ++cancelled) {
            CAPTURE(cancelled);
            boost::asio::io_context io{1};
            turnstile door(io);
            record log;
            std::array<visitor, 3> visitors;
            turnstile::turn held = door.try_enter();
            for (std::size_t i = 0; i < visitors.size(); ++i) {
                visitors[i].go(io, pass(door, log, static_cast<char>('a' + i)));
            }
            io.poll();
            visitors[static_cast<std::size_t>(cancelled)].signal.emit(boost::asio::cancellation_type::terminal
            );
            io.poll();
            held.release();
            io.restart();
            io.poll();
            std::string expected = "abc";
            expected.erase(static_cast<std::size_t>(cancelled), 1);
            std::string entered;
            for (const char each : log.events) {
                if (each != '-') entered += each;
            }
            CHECK(entered == expected);
            CHECK(door.try_enter());
        }
    }

    TEST_CASE("a turn given to a coroutine that is cancelled at the same moment is not lost") {
        boost::asio::io_context io{1};
        turnstile door(io);
        record log;
        visitor a;
        visitor b;
        turnstile::turn held = door.try_enter();
        a.go(io, pass(door, log, 'a'));
        b.go(io, pass(door, log, 'b'));
        io.poll();
        held.release();
        a.signal.emit(boost::asio::cancellation_type::terminal);
        io.restart();
        io.poll();
        CHECK(log.events.back() == 'b');
        CHECK(door.try_enter());
    }

    TEST_CASE("coroutines destroyed in line leave it") {
        auto io = std::make_unique<boost::asio::io_context>(1);
        turnstile door(*io);
        record log;
        visitor a;
        visitor b;
        turnstile::turn held = door.try_enter();
        a.go(*io, pass(door, log, 'a'));
        b.go(*io, pass(door, log, 'b'));
        io->poll();
        io.reset();
        held.release();
        CHECK(log.events.empty());
        CHECK(door.try_enter());
    }
}
