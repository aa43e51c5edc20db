// SPDX-License-Identifier: MIT
#include "worker/admission.hpp"
#include "support/doctest.hpp"

#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using unicoro::settings::queue_order;
using unicoro::settings::request_priority;
using unicoro::worker::admission;

namespace {

admission::time the_time = 0;

admission::time now() noexcept {
    return the_time;
}

void pass(std::chrono::nanoseconds time) {
    the_time += time.count();
}

/// A request with a name, which notes what becomes of it.
struct asker {
    asker(admission& where, std::string own_name, std::size_t lane = 0)
        : gate(&where), name(std::move(own_name)) {
        gate->ask(place, lane, the_time);
    }

    static void settled(admission::ticket& which, void* owner) noexcept {
        static_cast<asker*>(owner)->told = which.inside() ? "in" : "refused";
    }
    [[nodiscard]] std::string state() const {
        if (place.waits()) return "waits";
        if (place.inside()) return "inside";
        return place.refused() ? "refused" : "out";
    }

    admission* gate;
    std::string name;
    std::string told;
    admission::ticket place{&asker::settled, this};
};

admission gate_of(admission::limits all, std::size_t most_waiting = 10) {
    return admission(all, {{.most_waiting = most_waiting}}, &now);
}

}  // namespace

TEST_SUITE("admission") {
    TEST_CASE("as many as there are places are inside, the others follow in their order") {
        admission gate = gate_of({.most_inside = 2});
        asker a(gate, "a");
        asker b(gate, "b");
        asker c(gate, "c");
        asker d(gate, "d");
        CHECK(a.state() == "inside");
        CHECK(b.state() == "inside");
        CHECK(c.state() == "waits");
        CHECK(d.state() == "waits");
        CHECK(gate.inside() == 2);
        CHECK(gate.waiting() == 2);
        a.place.leave();
        CHECK(c.told == "in");
        CHECK(d.state() == "waits");
        b.place.leave();
        CHECK(d.told == "in");
        c.place.leave();
        d.place.leave();
        CHECK(gate.inside() == 0);
    }

    TEST_CASE("leaving twice gives one place back, and none where there was none") {
        admission gate = gate_of({.most_inside = 1}, 0);
        asker a(gate, "a");
        asker refused(gate, "b");
        CHECK(refused.state() == "refused");
        refused.place.leave();
        CHECK(gate.inside() == 1);
        a.place.leave();
        a.place.leave();
        CHECK(gate.inside() == 0);
    }

    TEST_CASE("one that is destroyed in line leaves it, one that is destroyed inside calls the next") {
        admission gate = gate_of({.most_inside = 1});
        std::optional<asker> inside(std::in_place, gate, "a");
        std::optional<asker> gone(std::in_place, gate, "b");
        asker next(gate, "c");
        gone.reset();
        CHECK(gate.waiting() == 1);
        inside.reset();
        CHECK(next.told == "in");
    }

    TEST_CASE("a full line refuses") {
        admission gate = gate_of({.most_inside = 1}, 2);
        std::list<asker> all;
        for (int n = 0; n < 5; ++n) all.emplace_back(gate, "x");
        std::vector<std::string> states;
        for (const asker& each : all) states.push_back(each.state());
        CHECK(states == std::vector<std::string>{"inside", "waits", "waits", "refused", "refused"});
    }

    TEST_CASE("who has waited too long is not let in any more") {
        admission gate = gate_of({.most_inside = 1, .most_waited = 1s});
        asker a(gate, "a");
        asker late(gate, "b");
        pass(1s);
        asker c(gate, "c");
        a.place.leave();
        CHECK(late.told == "refused");
        CHECK(c.told == "in");
        CHECK(gate.waiting() == 0);
    }

    TEST_CASE("waiting elsewhere counts, unless there is a place") {
        admission gate = gate_of({.most_inside = 1, .most_waited = 1s});
        the_time = admission::time{10'000'000'000};
        admission::ticket first(&asker::settled, nullptr);
        gate.ask(first, 0, 0);
        CHECK(first.inside());
        admission::ticket second(&asker::settled, nullptr);
        gate.ask(second, 0, 0);
        CHECK(second.refused());
    }

    TEST_CASE("refuse tells who waits, and nobody else") {
        admission gate = gate_of({.most_inside = 1});
        asker a(gate, "a");
        asker b(gate, "b");
        a.place.refuse();
        b.place.refuse();
        CHECK(a.state() == "inside");
        CHECK(a.told.empty());
        CHECK(b.told == "refused");
        CHECK(gate.waiting() == 0);
    }

    TEST_CASE("the newest is first only while the queue does not become empty") {
        admission gate = gate_of({.most_inside = 1, .most_waited = 4s, .order = queue_order::adaptive_lifo});
        asker a(gate, "a");
        asker b(gate, "b");
        asker c(gate, "c");
        a.place.leave();
        CHECK(b.told == "in");
        pass(1s);
        asker d(gate, "d");
        b.place.leave();
        CHECK(d.told == "in");
        CHECK(c.state() == "waits");
        d.place.leave();
        CHECK(c.told == "in");
        // It was empty: from the beginning.
        asker e(gate, "e");
        asker f(gate, "f");
        c.place.leave();
        CHECK(e.told == "in");
        CHECK(f.state() == "waits");
    }

    TEST_CASE("newest first, a full line gives up its oldest") {
        admission gate =
            gate_of({.most_inside = 1, .most_waited = 4s, .order = queue_order::adaptive_lifo}, 2);
        asker a(gate, "a");
        asker b(gate, "b");
        asker c(gate, "c");
        asker early(gate, "d");
        CHECK(early.state() == "refused");
        pass(1s);
        asker e(gate, "e");
        CHECK(b.told == "refused");
        CHECK(e.state() == "waits");
        a.place.leave();
        CHECK(e.told == "in");
    }

    TEST_CASE("lanes have ceilings and lines of their own") {
        admission gate(
            {.most_inside = 3}, {{.most_waiting = 1}, {.most_inside = 1, .most_waiting = 2}}, &now
        );
        asker report(gate, "r1", 1);
        asker waiting_report(gate, "r2", 1);
        asker another(gate, "r3", 1);
        CHECK(waiting_report.state() == "waits");
        CHECK(another.state() == "waits");
        CHECK(asker(gate, "r4", 1).state() == "refused");
        // Neither their ceiling nor their line is the others'.
        asker login(gate, "l1");
        asker second_login(gate, "l2");
        CHECK(login.state() == "inside");
        CHECK(second_login.state() == "inside");
        asker third_login(gate, "l3");
        CHECK(third_login.state() == "waits");
        login.place.leave();
        CHECK(third_login.told == "in");
        CHECK(waiting_report.state() == "waits");
        report.place.leave();
        CHECK(waiting_report.told == "in");
        CHECK(another.state() == "waits");
    }

    TEST_CASE("only a ceiling of a lane") {
        admission gate({}, {{}, {.most_inside = 1, .most_waiting = 2}}, &now);
        std::list<asker> others;
        for (int n = 0; n < 100; ++n) CHECK(others.emplace_back(gate, "o").state() == "inside");
        asker report(gate, "r1", 1);
        asker next_report(gate, "r2", 1);
        CHECK(report.state() == "inside");
        CHECK(next_report.state() == "waits");
        report.place.leave();
        CHECK(next_report.told == "in");
    }

    TEST_CASE("the urgent go first, and among equals who came first") {
        const auto lane = [](request_priority priority) {
            return admission::lane_limits{.most_waiting = 9, .priority = priority};
        };
        admission gate(
            {.most_inside = 1},
            {lane(request_priority::normal),
             lane(request_priority::low),
             lane(request_priority::high),
             lane(request_priority::normal)},
            &now
        );
        std::list<asker> all;
        const std::vector<std::pair<std::string, std::size_t>> comers{
            {"inside", 0}, {"low", 1}, {"normal 1", 3}, {"normal 2", 0}, {"high", 2}, {"normal 3", 3}
        };
        for (const auto& [name, number] : comers) all.emplace_back(gate, name, number);
        std::vector<std::string> order;
        for (std::size_t n = 0; n < comers.size(); ++n) {
            for (asker& each : all) {
                if (!each.place.inside()) continue;
                order.push_back(each.name);
                each.place.leave();
                break;
            }
        }
        CHECK(order == std::vector<std::string>{"inside", "high", "normal 1", "normal 2", "normal 3", "low"});
    }

    TEST_CASE("what is never shed is inside at once, and takes nobody's place") {
        admission gate({.most_inside = 1}, {{.most_waiting = 1}, {.never_shed = true}}, &now);
        asker a(gate, "a");
        asker b(gate, "b");
        asker health(gate, "h", 1);
        asker another(gate, "h2", 1);
        CHECK(health.state() == "inside");
        CHECK(another.state() == "inside");
        health.place.leave();
        CHECK(b.state() == "waits");
        a.place.leave();
        CHECK(b.told == "in");
    }
}
