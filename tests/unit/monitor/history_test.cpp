// SPDX-License-Identifier: MIT
#include "monitor/history.hpp"
#include "monitor/history_json.hpp"
#include "monitor/quantile.hpp"

#include "support/doctest.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

using namespace unicoro::monitor;
using namespace unicoro::scoreboard;

namespace {

constexpr monotonic_ns second = 1'000'000'000;

/// A server that counts, and the history that looks at it.
struct watched {
    picture now;
    history past{happening_counts{}};

    watched() {
        now.now = 1'000 * second;
        look();
    }
    void look() { past.look(now.seen, now.now); }
    void pass(int seconds) {
        now.now += seconds * second;
        look();
    }
    void take(int seconds) {
        pass(seconds);
        past.take(now);
    }
    std::uint64_t& count(happening what) { return now.seen.all.happened[static_cast<std::size_t>(what)]; }
    std::uint64_t& word(std::size_t place) { return now.seen.all.words[place]; }
    void add_worker(std::size_t slot, pid_t pid) {
        counted_worker made;
        made.slot = slot;
        made.facts = {static_cast<std::uint64_t>(pid), pid, 1, now.now};
        made.state = worker_state::ready;
        now.seen.workers.push_back(made);
    }
    void remove_worker(pid_t pid) {
        std::erase_if(now.seen.workers, [pid](const counted_worker& each) { return each.facts.pid == pid; });
    }
    nlohmann::json told(double since = 0) const {
        return nlohmann::json::parse(history_json(past, now.now, since));
    }
};

requests_view view_of(std::initializer_list<request_view> of) {
    return {of, 0};
}

request_view request(pid_t pid, double age, monotonic_ns started, std::string target = "/a") {
    return {0, pid, 1, age, {started, "GET", std::move(target), request_stage::application}};
}

}  // namespace

TEST_SUITE_BEGIN("monitor: history");

TEST_CASE("quantiles of a histogram") {
    histogram counts{};
    CHECK_FALSE(quantile(counts, 0.5));
    counts[0] = 10;
    CHECK(*quantile(counts, 0.5) == doctest::Approx(0.0025));
    CHECK(*quantile(counts, 1) == doctest::Approx(0.005));
    counts[6] = 10;  // 0.1 s to 0.25 s
    CHECK(*quantile(counts, 0.5) == doctest::Approx(0.005));
    CHECK(*quantile(counts, 0.75) == doctest::Approx(0.175));
    CHECK(*quantile(counts, 7) == doctest::Approx(0.25));
    counts = {};
    counts[buckets - 1] = 1;  // beyond the last bound
    CHECK(*quantile(counts, 0.5) == doctest::Approx(10));
}

TEST_CASE("a histogram that has become less counts as one where nothing has come") {
    histogram earlier{};
    histogram later{};
    earlier[1] = 5;
    later[1] = 3;
    later[2] = 4;
    CHECK(difference(later, earlier)[1] == 0);
    CHECK(difference(later, earlier)[2] == 4);
}

TEST_CASE("points lie between samples, and tell rates") {
    watched server;
    server.word(place_of_requests(1, 1)) = 1000;  // from before
    server.take(1);
    CHECK(server.told()["points"]["time"].empty());
    CHECK(server.told()["last_minute"].is_null());
    server.word(place_of_requests(1, 1)) += 40;
    server.word(place_of_requests(row_of_others, 1)) += 10;
    server.word(place_of_requests(2, 4)) += 5;
    server.word(place_of(counter::bytes_sent)) += 5'000;
    server.word(place_of_bucket(timing::duration, 6)) += 100;
    server.now.cpu = 2.5;
    worker_view worker;
    worker.connections = 9;
    worker.running = 4;
    worker.memory = 4096;
    worker.silent = 2.25;
    server.now.workers = {worker, worker};
    server.take(5);
    const auto points = server.told()["points"];
    CHECK(points["time"] == nlohmann::json::array({1006.0}));
    CHECK(points["seconds"][0] == 5.0);
    CHECK(points["requests_per_second"]["2xx"][0] == 10.0);
    CHECK(points["requests_per_second"]["5xx"][0] == 1.0);
    CHECK(points["sent_bytes_per_second"][0] == 1000.0);
    CHECK(points["cpus"][0] == 0.5);
    CHECK(points["connections"][0] == 18);
    CHECK(points["in_flight"][0] == 8);
    CHECK(points["memory_bytes"][0] == 8192);
    CHECK(points["silent_seconds"][0] == 2.25);
    CHECK(points["duration_seconds"]["p50"][0] == 0.175);
    CHECK(points["duration_seconds"]["p99"][0] == 0.2485);
    CHECK(points["queue_seconds"]["p50"][0].is_null());
    const auto minute = server.told()["last_minute"];
    CHECK(minute["requests"] == 55);
    CHECK(minute["requests_5xx"] == 5);
    CHECK(minute["seconds"] == 5.0);
}

TEST_CASE("only what is later than asked for") {
    watched server;
    for (int each = 0; each < 5; ++each) server.take(5);
    const auto all = server.told();
    CHECK(all["points"]["time"].size() == 4);
    const double last = all["points"]["time"][2];
    CHECK(server.told(last)["points"]["time"].size() == 1);
    CHECK(server.told(all["points"]["time"][3])["points"]["time"].empty());
    CHECK(server.told(1e12)["points"]["time"].empty());
    // Of a moment that no binary fraction is.
    server.now.now += 123'456'789;
    server.take(5);
    const double odd = server.told()["points"]["time"].back();
    CHECK(server.told(odd)["points"]["time"].empty());
}

TEST_CASE("the last minute is one, also where more is kept") {
    watched server;
    for (int each = 0; each < 100; ++each) {
        server.word(place_of_requests(1, 1)) += 5;
        server.take(5);
    }
    const auto minute = server.told()["last_minute"];
    CHECK(minute["seconds"] == 60.0);
    CHECK(minute["requests"] == 60);
}

TEST_CASE("the ring holds a quarter of an hour") {
    watched server;
    for (std::size_t each = 0; each < 3 * history::most_samples; ++each) server.take(5);
    CHECK(server.past.samples().size() == history::most_samples);
    const auto span = server.past.samples().back().when - server.past.samples().front().when;
    CHECK(span == std::chrono::nanoseconds(history::kept).count());
    CHECK(sizeof(sample) * history::most_samples < 100 * 1024);
}

TEST_CASE("what was counted before it began is no incident, what comes after is") {
    watched server;
    server.count(happening::reload_completed) = 0;
    CHECK(server.past.incidents().empty());
    server.count(happening::reload_completed) += 1;
    server.count(happening::upgrade_refused) += 2;
    server.count(happening::worker_started) += 4;
    server.pass(1);
    server.pass(1);
    const auto told = server.told()["incidents"];
    REQUIRE(told.size() == 3);
    CHECK(told[0]["kind"] == "reload");
    CHECK(told[0]["outcome"] == "completed");
    CHECK(told[0]["time"] == 1001.0);
    CHECK(told[1]["kind"] == "upgrade");
    CHECK(told[2]["outcome"] == "refused");
    const happening_counts before = server.now.seen.all.happened;
    history later(before);
    later.look(server.now.seen, server.now.now);
    CHECK(later.incidents().empty());
    // The reload that it came of is counted before its first look.
    server.count(happening::reload_completed) += 1;
    history of_reload(before);
    of_reload.look(server.now.seen, server.now.now);
    REQUIRE(of_reload.incidents().size() == 1);
    CHECK(of_reload.incidents()[0].what == happening::reload_completed);
}

TEST_CASE("ends of workers, with which it was where that is plain") {
    watched server;
    for (const pid_t pid : {11, 12, 13, 14}) server.add_worker(static_cast<std::size_t>(pid - 11), pid);
    server.pass(1);

    SUBCASE("one has ended") {
        server.remove_worker(12);
        server.count(happening::worker_timed_out) += 1;
        server.pass(3);
        const auto told = server.told()["incidents"];
        REQUIRE(told.size() == 1);
        CHECK(told[0]["kind"] == "worker_end");
        CHECK(told[0]["reason"] == "timeout");
        CHECK(told[0]["pid"] == 12);
        CHECK(told[0]["worker"] == 1);
        CHECK(told[0]["lived_seconds"] == 4.0);
    }
    SUBCASE("it was gone a look before it was counted") {
        server.remove_worker(13);
        server.pass(1);
        CHECK(server.past.incidents().empty());
        server.count(happening::worker_failed) += 1;
        server.pass(1);
        CHECK(server.told()["incidents"][0]["pid"] == 13);
    }
    SUBCASE("one that went uncounted is nobody's end later") {
        server.remove_worker(13);
        server.pass(1);
        server.pass(1);
        server.pass(1);
        server.remove_worker(14);
        server.count(happening::worker_failed) += 1;
        server.pass(1);
        REQUIRE(server.told()["incidents"].size() == 1);
        CHECK(server.told()["incidents"][0]["pid"] == 14);
    }
    SUBCASE("two, for one reason") {
        server.remove_worker(11);
        server.remove_worker(14);
        server.count(happening::worker_ended) += 2;
        server.pass(1);
        const auto told = server.told()["incidents"];
        REQUIRE(told.size() == 2);
        CHECK(told[0]["pid"] == 11);
        CHECK(told[1]["pid"] == 14);
    }
    SUBCASE("two, for two reasons") {
        server.remove_worker(11);
        server.remove_worker(14);
        server.count(happening::worker_ended) += 1;
        server.count(happening::worker_starved) += 1;
        server.pass(1);
        const auto told = server.told()["incidents"];
        REQUIRE(told.size() == 2);
        CHECK_FALSE(told[0].contains("pid"));
        CHECK(told[1]["reason"] == "out_of_memory");
    }
    SUBCASE("another one has its place already") {
        server.remove_worker(11);
        server.add_worker(0, 15);
        server.count(happening::worker_signalled) += 1;
        server.pass(1);
        CHECK(server.told()["incidents"][0]["pid"] == 11);
    }
    SUBCASE("more than are kept, at once and one after the other") {
        server.count(happening::worker_failed) += 1'000'000'000'000;
        server.pass(1);
        CHECK(server.past.incidents().size() == history::most_incidents);
        for (std::size_t each = 0; each < 2 * history::most_incidents; ++each) {
            server.count(happening::reload_refused) += 1;
            server.pass(1);
        }
        CHECK(server.past.incidents().size() == history::most_incidents);
        CHECK(server.past.incidents().front().what == happening::reload_refused);
    }
}

TEST_CASE("slow requests are told when they have gone") {
    watched server;
    const monotonic_ns now = server.now.now;
    auto socket = request(1, 9.0, 5);
    socket.request.stage = request_stage::websocket;
    server.past.look_at_requests(
        view_of({socket, request(1, 4.0, 6, "/slow?token=secret"), request(2, 1.5, 7), request(1, 0.2, 8)}),
        now
    );
    CHECK(server.past.slow_requests().empty());
    server.past.look_at_requests(view_of({request(2, 2.5, 7)}), now + second);
    const auto told = server.told()["slow_requests"];
    REQUIRE(told.size() == 1);
    CHECK(told[0]["path"] == "/slow");
    CHECK(told[0]["age_seconds"] == 4.0);
    CHECK(told[0]["time"] == 1001.0);
    CHECK(history_json(server.past, now, 0).find("secret") == std::string::npos);
    // One that became a WebSocket is still there.
    socket = request(2, 3.5, 7);
    socket.request.stage = request_stage::websocket;
    server.past.look_at_requests(view_of({socket}), now + 2 * second);
    server.past.look_at_requests(view_of({}), now + 3 * second);
    CHECK(server.past.slow_requests().size() == 1);
}

TEST_CASE("so many slow requests and no more") {
    watched server;
    requests_view many;
    for (monotonic_ns each = 0; each < 5'000; ++each) many.listed.push_back(request(1, 2.0, each));
    server.past.look_at_requests(many, server.now.now);
    server.past.look_at_requests(view_of({}), server.now.now + second);
    CHECK(server.past.slow_requests().size() == history::most_slow_requests);
}

TEST_CASE("what since may be") {
    CHECK(*read_since("") == 0);
    CHECK(*read_since("a=b&since=12.5&c") == 12.5);
    CHECK(*read_since("since=0") == 0);
    CHECK(*read_since("Since=x") == 0);
    for (const char* wrong :
         {"since=", "since=x", "since=1x", "since= 1", "since=nan", "since=inf", "since=1e5"}) {
        INFO(wrong);
        CHECK_FALSE(read_since(wrong));
    }
}
