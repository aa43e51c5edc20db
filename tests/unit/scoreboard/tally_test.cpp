// SPDX-License-Identifier: MIT
#include "scoreboard/tally.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <atomic>
#include <chrono>
#include <limits>
#include <random>
#include <thread>

using namespace unicoro::scoreboard;
using unicoro::os::testing::in_own_child;

namespace {

constexpr monotonic_ns second = 1'000'000'000;

/// A master's tally and the slots of its workers.
struct world {
    table board = table::create(4, 8).value();
    tally counts = tally::create(4).value();
    monotonic_ns now = 1000 * second;
    std::uint64_t age = 0;

    void start(std::size_t slot) {
        REQUIRE_FALSE(board.open(slot, worker_state::ready));
        counts.begin(slot, {++age, 100 + static_cast<pid_t>(age), 1, now});
    }
    worker_slot& at(std::size_t slot) { return board.slot(slot); }
    counting count(std::size_t slot) { return counting(at(slot).counts); }
    void look(std::size_t slot) { counts.look(slot, at(slot), now); }
    [[nodiscard]] counted all() { return counts.read().value().all; }
    [[nodiscard]] std::uint64_t requests(std::size_t row, std::size_t place) {
        return all().words[place_of_requests(row, place)];
    }
};

}  // namespace

TEST_SUITE_BEGIN("tally");

TEST_CASE("a length of time falls into the first bucket that holds it") {
    CHECK(bucket_of(0) == 0);
    CHECK(bucket_of(5'000'000) == 0);
    CHECK(bucket_of(5'000'001) == 1);
    CHECK(bucket_of(10 * second) == bucket_bounds.size() - 1);
    CHECK(bucket_of(10 * second + 1) == bucket_bounds.size());
    CHECK(bucket_of(std::numeric_limits<std::int64_t>::max()) == buckets - 1);
}

TEST_CASE("no two counters share a word") {
    std::array<int, counter_words> used{};
    for (std::size_t row = 0; row < request_rows; ++row) {
        for (std::size_t place = 0; place < status_classes; ++place) ++used[place_of_requests(row, place)];
    }
    for (std::size_t each = 0; each < timings; ++each) {
        for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
            ++used[place_of_bucket(static_cast<timing>(each), bucket)];
        }
        ++used[place_of_sum(static_cast<timing>(each))];
    }
    for (std::size_t each = 0; each < counters; ++each) ++used[place_of(static_cast<counter>(each))];
    for (const int times : used) CHECK(times == 1);
}

TEST_CASE("what several workers count is added up") {
    world of;
    of.start(0);
    of.start(2);
    of.count(0).request(1, 200);
    of.count(0).request(1, 503);
    of.count(2).request(1, 204);
    of.count(2).request(1, 999);
    of.count(0).took(timing::duration, 7'000'000);
    of.count(2).took(timing::duration, -5);
    of.look(0);
    of.look(2);
    CHECK(of.requests(1, 1) == 2);
    // What is no status is a failure.
    CHECK(of.requests(1, 4) == 2);
    const counted all = of.all();
    CHECK(all.words[place_of_bucket(timing::duration, 1)] == 1);
    CHECK(all.words[place_of_bucket(timing::duration, 0)] == 1);
    CHECK(all.words[place_of_sum(timing::duration)] == 7'000'000);
    const sight seen = of.counts.read().value();
    REQUIRE(seen.workers.size() == 2);
    CHECK(seen.workers[1].slot == 2);
    CHECK(seen.workers[1].facts.pid == 102);
    CHECK(seen.workers[1].requests == 2);
    CHECK(seen.workers[1].state == worker_state::ready);
}

TEST_CASE("what a worker has counted outlives it") {
    world of;
    of.start(1);
    of.count(1).request(1, 200);
    of.look(1);
    of.counts.end(1, 5 * second);
    CHECK(of.requests(1, 1) == 1);
    CHECK(of.counts.read().value().workers.empty());
    of.start(1);
    of.count(1).request(1, 200);
    of.look(1);
    CHECK(of.requests(1, 1) == 2);
    CHECK(of.all().cpu_of_ended == 5 * second);
    // What was not seen of it before its end is nobody's.
    of.count(1).request(1, 200);
    of.counts.end(1, 0);
    CHECK(of.requests(1, 1) == 2);
    of.counts.end(1, 0);
    CHECK(of.requests(1, 1) == 2);
}

TEST_CASE("a word that becomes less or cannot be so great is left as it was") {
    world of;
    of.start(0);
    auto& word = of.at(0).counts[place_of_requests(1, 1)];
    auto& sum = of.at(0).counts[place_of_sum(timing::duration)];
    of.now += 10 * second;
    word = 1000;
    sum = 77 * static_cast<std::uint64_t>(second);
    of.look(0);
    CHECK(of.requests(1, 1) == 1000);
    for (const std::uint64_t damage :
         {std::uint64_t{0}, std::uint64_t{999}, std::uint64_t{1} << 40, UINT64_MAX, std::uint64_t{1} << 63}) {
        word = damage;
        of.look(0);
        CHECK(of.requests(1, 1) == 1000);
    }
    for (const std::uint64_t damage : {std::uint64_t{0}, UINT64_MAX, std::uint64_t{1} << 62}) {
        sum = damage;
        of.look(0);
        CHECK(of.all().words[place_of_sum(timing::duration)] == 77 * static_cast<std::uint64_t>(second));
    }
    // Nor is it locked for good.
    word = 1001;
    of.look(0);
    CHECK(of.requests(1, 1) == 1001);
    of.at(0).state = static_cast<worker_state>(77);
    of.look(0);
    CHECK(of.counts.read().value().workers[0].state == worker_state::ready);
}

TEST_CASE("nothing goes backwards whatever workers write, and come and go") {
    world of;
    std::minstd_rand dice(7);
    std::mt19937_64 words(8);
    counted before = of.all();
    for (int round = 0; round < 2000; ++round) {
        of.now += second / 10;
        const std::size_t slot = dice() % 4;
        const sight seen = of.counts.read().value();
        switch (dice() % 4) {
            case 0: of.counts.end(slot, dice()); break;
            case 1:
                of.counts.end(slot, 0);
                of.start(slot);
                break;
            case 2:
                for (const counted_worker& each : seen.workers) {
                    for (auto& word : of.at(each.slot).counts) word = words() >> (dice() % 64);
                }
                break;
            default:
                for (const counted_worker& each : seen.workers) of.look(each.slot);
        }
        const counted now = of.all();
        for (std::size_t place = 0; place < counter_words; ++place) {
            REQUIRE(now.words[place] >= before.words[place]);
            REQUIRE(now.words[place] <= std::uint64_t{1} << 62);
        }
        REQUIRE(now.cpu_of_ended >= before.cpu_of_ended);
        before = now;
    }
}

TEST_CASE("applications have rows by name, and those without share one") {
    world of;
    CHECK(of.counts.row_of("/") == 1);
    CHECK(of.counts.row_of("/api") == 2);
    CHECK(of.counts.row_of("/") == 1);
    for (std::size_t more = 2; more < named_rows; ++more) {
        CHECK(of.counts.row_of("/" + std::to_string(more)) == more + 1);
    }
    CHECK(of.counts.row_of("/one/more") == row_of_others);
    CHECK(of.counts.row_of("/api") == 2);
    CHECK(of.all().rows[1] == "/api");
}

TEST_CASE("the next program goes on with what was counted") {
    counted before;
    {
        world of;
        (void)of.counts.row_of("/first");
        (void)of.counts.row_of("/second");
        of.start(0);
        of.count(0).request(2, 200);
        of.look(0);
        happening_counts happened{};
        happened[static_cast<std::size_t>(happening::worker_started)] = 3;
        of.counts.tell(happened, 4, 2, of.now);
        before = of.all();
    }
    world of;
    of.counts.resume(before);
    CHECK(of.counts.row_of("/second") == 2);
    CHECK(of.requests(2, 1) == 1);
    happening_counts happened{};
    happened[static_cast<std::size_t>(happening::worker_started)] = 1;
    of.counts.tell(happened, 1, 2, of.now);
    CHECK(of.all().happened[static_cast<std::size_t>(happening::worker_started)] == 4);
    CHECK(of.counts.read().value().master_beat == of.now);
    CHECK_FALSE(of.counts.read().value().stopping);
    of.counts.tell_stopping();
    CHECK(of.counts.read().value().stopping);
}

TEST_CASE("another process reads it, and cannot write it") {
    world of;
    of.start(0);
    of.count(0).request(1, 200);
    of.look(0);
    CHECK(in_own_child([&] {
              if (of.counts.make_read_only()) return 1;
              return of.requests(1, 1) == 1 ? 0 : 2;
          }) == 0);
    const int end = in_own_child([&] {
        if (of.counts.make_read_only()) return 1;
        signal(SIGSEGV, [](int) { _exit(77); });
        of.counts.tell_stopping();
        return 0;
    });
    CHECK(end == 77);
    CHECK_FALSE(of.counts.read().value().stopping);
}

TEST_CASE("a look that is taken while it is changed is whole") {
    world of;
    of.start(0);
    std::atomic<bool> done = false;
    // Two words that the writer always changes together, in two looks of a reader's.
    std::thread writer([&] {
        for (std::uint64_t number = 1; number < 20'000; ++number) {
            of.at(0).counts[place_of(counter::shed)] = number;
            of.at(0).counts[place_of(counter::websockets)] = number;
            of.now = (1000 + static_cast<monotonic_ns>(number)) * second;
            of.look(0);
        }
        done = true;
    });
    std::uint64_t seen = 0;
    while (!done) {
        const auto now = of.counts.read();
        if (!now) continue;
        const std::uint64_t one = now->all.words[place_of(counter::shed)];
        REQUIRE(one == now->all.words[place_of(counter::websockets)]);
        REQUIRE(one >= seen);
        seen = one;
    }
    writer.join();
}
