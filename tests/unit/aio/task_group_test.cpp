// SPDX-License-Identifier: MIT
#include "aio/task_group.hpp"

#include "support/doctest.hpp"

#include <unicoro/sleep.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <stdexcept>
#include <tuple>
#include <utility>

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

/// In a coroutine's frame: tells of its end, also when it never began.
class witness {
  public:
    explicit witness(bool& gone) : gone_(&gone) {}
    witness(witness&& other) noexcept : gone_(std::exchange(other.gone_, nullptr)) {}
    witness& operator=(witness&&) = delete;
    ~witness() {
        if (gone_ != nullptr) *gone_ = true;
    }

  private:
    bool* gone_;
};

awaitable<void> note_begin(bool& begun, witness) {
    begun = true;
    co_await unicoro::sleep_for(1h);
}

/// Goes on for a while after it was cancelled.
awaitable<void> end_slowly(boost::asio::io_context& io, bool& ended) {
    bool cancelled = false;
    try {
        co_await unicoro::sleep_for(1h);
    } catch (const boost::system::system_error&) {
        cancelled = true;
    }
    co_await boost::asio::this_coro::reset_cancellation_state();
    for (int turn = 0; turn < 3; ++turn) {
        [[maybe_unused]] const std::tuple<> next = co_await boost::asio::post(io, unicoro::as_tuple);
    }
    ended = cancelled;
}

/// An owner that is cancelled while it has a child, as a request that runs out of time.
awaitable<void> own(task_group& children, boost::asio::io_context& io, bool& child, bool& in_time) {
    children.spawn("child", end_slowly(io, child));
    try {
        co_await unicoro::sleep_for(1h);
    } catch (const boost::system::system_error&) {
    }
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    co_await children.close();
    in_time = child && children.empty();
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

    TEST_CASE("one that is cancelled before it has begun ends as quietly as another") {
        boost::asio::io_context io{1};
        task_group group(io);
        bool begun = false;
        bool gone = false;
        group.spawn("never", note_begin(begun, witness(gone)));
        group.cancel_all();
        CHECK_NOTHROW(io.run());
        CHECK_FALSE(begun);
        CHECK(gone);
        CHECK(group.empty());
    }

    TEST_CASE("close waits for the end of all, for an owner that is cancelled too") {
        boost::asio::io_context io{1};
        task_group owners(io);
        task_group children(io);
        bool child = false;
        bool in_time = false;
        owners.spawn("owner", own(children, io, child, in_time));
        io.poll();
        owners.cancel_all();
        io.poll_one();
        owners.cancel_all();
        io.run();
        CHECK(child);
        CHECK(in_time);
        CHECK(owners.empty());
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
