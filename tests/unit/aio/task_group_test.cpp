// SPDX-License-Identifier: MIT
#include "aio/task_group.hpp"

#include "support/doctest.hpp"

#include <unicoro/sleep.hpp>

#include <boost/system/system_error.hpp>

#include <chrono>
#include <stdexcept>

using namespace std::chrono_literals;
using unicoro::awaitable;
using unicoro::aio::task_group;

namespace {

awaitable<void> count(int& counter) {
    co_await unicoro::sleep_for(1ms);
    ++counter;
}

awaitable<void> sleep_long(bool& was_cancelled) {
    try {
        co_await unicoro::sleep_for(1h);
    } catch (const boost::system::system_error& error) {
        was_cancelled = error.code() == boost::asio::error::operation_aborted;
        throw;
    }
}

awaitable<void> fail() {
    co_await unicoro::sleep_for(1ms);
    throw std::runtime_error("on purpose");
}

}  // namespace

TEST_SUITE("task_group") {
    TEST_CASE("counts what runs and tells when the last has ended") {
        boost::asio::io_context io{1};
        task_group group(io);
        int done = 0;
        int emptied = 0;
        group.on_empty([&] { ++emptied; });
        group.spawn("one", count(done));
        group.spawn("two", count(done));
        CHECK(group.size() == 2);
        io.run();
        CHECK(done == 2);
        CHECK(emptied == 1);
        CHECK(group.empty());
    }

    TEST_CASE("cancel_all ends what waits") {
        boost::asio::io_context io{1};
        task_group group(io);
        bool cancelled = false;
        group.spawn("sleeper", sleep_long(cancelled));
        io.poll();
        group.cancel_all();
        io.run();
        CHECK(cancelled);
        CHECK(group.empty());
    }

    TEST_CASE("an exception ends its task alone") {
        boost::asio::io_context io{1};
        task_group group(io);
        int done = 0;
        group.spawn("failing", fail());
        group.spawn("other", count(done));
        io.run();
        CHECK(done == 1);
        CHECK(group.empty());
    }
}
