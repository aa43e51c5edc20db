// SPDX-License-Identifier: MIT
#include "aio/event.hpp"
#include "support/doctest.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>

#include <exception>
#include <memory>
#include <string>

using unicoro::awaitable;
using unicoro::aio::event;

namespace {

awaitable<void> note_wakes(event& bell, std::string& log) {
    for (int turn = 0; turn < 2; ++turn) {
        const auto [ec] = co_await bell.wait();
        log += ec == boost::asio::error::operation_aborted ? 'x' : 'w';
        if (ec) co_return;
    }
    log += '.';
}

struct listener {
    boost::asio::cancellation_signal signal;
    std::string log;

    void go(boost::asio::io_context& io, event& bell) {
        boost::asio::co_spawn(
            io.get_executor(),
            note_wakes(bell, log),
            boost::asio::bind_cancellation_slot(signal.slot(), [](const std::exception_ptr&) {})
        );
    }
};

}  // namespace

TEST_SUITE("event") {
    TEST_CASE("set wakes the one who waits, in a handler of its own") {
        boost::asio::io_context io{1};
        event bell(io);
        listener one;
        one.go(io, bell);
        io.poll();
        bell.set();
        CHECK(one.log.empty());
        io.restart();
        io.poll();
        CHECK(one.log == "w");
        bell.set();
        io.restart();
        io.poll();
        CHECK(one.log == "ww.");
    }

    TEST_CASE("a set that nobody waits for is kept, and two count as one") {
        boost::asio::io_context io{1};
        event bell(io);
        bell.set();
        bell.set();
        listener one;
        one.go(io, bell);
        io.poll();
        CHECK(one.log == "w");
    }

    TEST_CASE("a cancelled wait ends at once") {
        boost::asio::io_context io{1};
        event bell(io);
        listener one;
        one.go(io, bell);
        io.poll();
        one.signal.emit(boost::asio::cancellation_type::terminal);
        io.restart();
        io.poll();
        CHECK(one.log == "x");
    }

    TEST_CASE("a cancellation between set and its handler finds an event that may be gone") {
        boost::asio::io_context io{1};
        auto bell = std::make_unique<event>(io);
        listener one;
        one.go(io, *bell);
        io.poll();
        bell->set();
        one.signal.emit(boost::asio::cancellation_type::terminal);
        io.restart();
        io.poll_one();
        CHECK(one.log.starts_with('w'));
        one.signal.emit(boost::asio::cancellation_type::terminal);
        io.restart();
        io.poll();
    }
}
