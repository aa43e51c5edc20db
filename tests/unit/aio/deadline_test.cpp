// SPDX-License-Identifier: MIT
#include "aio/deadline.hpp"

#include "support/doctest.hpp"

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using unicoro::aio::deadline;
using unicoro::aio::deadline_service;

namespace {

struct witness {
    explicit witness(std::string its_name) : name(std::move(its_name)), limit(&witness::late, this) {}

    static void late(deadline&, void* self) noexcept {
        auto& w = *static_cast<witness*>(self);
        w.expired_at = std::chrono::steady_clock::now();
        order.push_back(w.name);
    }

    static inline std::vector<std::string> order;

    std::string name;
    deadline limit;
    std::chrono::steady_clock::time_point expired_at{};
};

}  // namespace

TEST_SUITE("deadline") {
    TEST_CASE("expires after its duration, never before, in the order of expiry") {
        witness::order.clear();
        boost::asio::io_context io{1};
        deadline_service service(io);
        auto& slow = service.queue(60ms);
        auto& fast = service.queue(20ms);
        witness a("a");
        witness b("b");
        witness c("c");
        const auto start = std::chrono::steady_clock::now();
        service.arm(a.limit, slow);
        service.arm(b.limit, fast);
        service.arm(c.limit, slow);
        io.run();
        CHECK(witness::order == std::vector<std::string>{"b", "a", "c"});
        // The coarse clock may lag one tick behind at the start.
        CHECK(b.expired_at - start >= 10ms);
        CHECK(a.expired_at - start >= 50ms);
    }

    TEST_CASE("disarmed, re-armed and destroyed deadlines do not expire early") {
        witness::order.clear();
        boost::asio::io_context io{1};
        deadline_service service(io);
        auto& queue = service.queue(30ms);
        witness kept("kept");
        witness disarmed("disarmed");
        service.arm(disarmed.limit, queue);
        service.arm(kept.limit, queue);
        {
            witness destroyed("destroyed");
            service.arm(destroyed.limit, queue);
        }
        disarmed.limit.disarm();
        CHECK_FALSE(disarmed.limit.is_linked());
        CHECK(kept.limit.is_linked());
        io.run();
        CHECK(witness::order == std::vector<std::string>{"kept"});
    }

    TEST_CASE("a queue of zero means never, and equal durations share one queue") {
        boost::asio::io_context io{1};
        deadline_service service(io);
        witness never("never");
        service.arm(never.limit, service.queue(0ms));
        CHECK_FALSE(never.limit.is_linked());
        CHECK(&service.queue(5s) == &service.queue(5000ms));
        CHECK(io.run() == 0);
    }
}
