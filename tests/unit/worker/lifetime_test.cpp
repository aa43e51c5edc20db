// SPDX-License-Identifier: MIT
// How long connections and workers live: time limits, limits by number, ends.
#include "support/doctest.hpp"
#include "unit/worker/messages.hpp"
#include "unit/worker/worker_fixture.hpp"

#include <csignal>
#include <memory>
#include <string>
#include <vector>

using namespace worker_test;
using unicoro::settings::server_settings;

TEST_SUITE("time limits") {
    TEST_CASE("an idle connection is closed after keepalive") {
        worker_process worker([](server_settings& s) { s.keepalive = 100ms; });
        client c(worker.port());
        c.send(get("/a"));
        c.read_response();
        CHECK(c.read_all().empty());
    }

    TEST_CASE("keepalive does not limit the wait for a first request") {
        worker_process worker([](server_settings& s) { s.keepalive = 50ms; });
        client c(worker.port());
        CHECK(c.silent_for(300ms));
        c.send(get("/a"));
        CHECK(body_of(c.read_response()) == "hello from /a");
    }

    TEST_CASE("keepalive 0 closes after the response and says so") {
        worker_process worker([](server_settings& s) { s.keepalive = 0ms; });
        client c(worker.port());
        c.send(get("/a"));
        CHECK(c.read_all().find("Connection: close") != std::string::npos);
    }

    TEST_CASE("a slow head is answered 408, a silent connection is just closed") {
        worker_process worker([](server_settings& s) { s.header_timeout = 100ms; });
        client c(worker.port());
        c.send("GET / HTTP/1.1\r\nHo");
        CHECK(status_of(c.read_all()) == "408");
        client d(worker.port());
        CHECK(d.read_all().empty());
    }

    TEST_CASE("request_timeout cancels that request alone") {
        worker_process worker([](server_settings& s) { s.request_timeout = 150ms; });
        client c(worker.port());
        client d(worker.port());
        c.send(get("/forever"));
        d.send(get("/a"));
        CHECK(status_of(d.read_response()) == "200");
        CHECK(status_of(c.read_response()) == "504");
        c.send(get("/b"));
        CHECK(body_of(c.read_response()) == "hello from /b");
    }

    TEST_CASE("request_timeout is answered also while the body is awaited") {
        worker_process worker([](server_settings& s) { s.request_timeout = 100ms; });
        client c(worker.port());
        c.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc");
        CHECK(status_of(c.read_all()) == "504");
    }

    TEST_CASE("a body that stops coming ends the request") {
        worker_process worker([](server_settings& s) { s.body_timeout = 100ms; });
        client c(worker.port());
        c.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc");
        const std::string rest = c.read_all();
        CHECK(rest.find("200 OK") == std::string::npos);
    }
}

TEST_SUITE("limits") {
    TEST_CASE("worker_connections pauses accept and goes on when one closes") {
        worker_process worker([](server_settings& s) {
            s.worker_connections = 3;
            s.keepalive = s.header_timeout = 60s;
        });
        std::vector<std::unique_ptr<client>> open;
        for (int i = 0; i < 3; ++i) {
            open.push_back(std::make_unique<client>(worker.port()));
            open.back()->send(get("/a"));
            open.back()->read_response();
            // The next one has begun to arrive: it is not idle.
            open.back()->send("GET");
        }
        client waiting(worker.port());
        waiting.send(get("/b"));
        const auto before = worker.cpu_time();
        CHECK(waiting.silent_for(300ms));
        CHECK_MESSAGE(worker.cpu_time() - before < 100ms, "waiting for room must not spin");
        CHECK(worker.slot().connections.load() == 3);
        open.pop_back();
        CHECK(body_of(waiting.read_response()) == "hello from /b");
    }

    TEST_CASE("the longest idle connection gives way to a new one") {
        worker_process worker([](server_settings& s) {
            s.worker_connections = 2;
            s.keepalive = 60s;
        });
        client longest(worker.port());
        client other(worker.port());
        for (client* each : {&longest, &other}) {
            each->send(get("/a"));
            each->read_response();
        }
        client latest(worker.port());
        latest.send(get("/b"));
        CHECK(body_of(latest.read_response()) == "hello from /b");
        CHECK(longest.read_all().empty());
        other.send(get("/c"));
        CHECK(body_of(other.read_response()) == "hello from /c");
    }

    TEST_CASE("a full pipeline does not starve other connections") {
        worker_process worker;
        client greedy(worker.port());
        std::string many;
        for (int i = 0; i < 5000; ++i) many += get("/a");
        greedy.send(many);
        client c(worker.port());
        c.send(get("/b"));
        CHECK(body_of(c.read_response()) == "hello from /b");
        for (int i = 0; i < 5000; ++i) REQUIRE(body_of(greedy.read_response()) == "hello from /a");
    }

    TEST_CASE("max_requests asks for a replacement and serves on") {
        worker_process worker([](server_settings& s) { s.max_requests = 2; });
        client c(worker.port());
        for (int i = 0; i < 3; ++i) {
            c.send(get("/a"));
            CHECK(status_of(c.read_response()) == "200");
        }
        CHECK(worker.slot().state.load() == unicoro::scoreboard::worker_state::retiring);
    }
}

TEST_SUITE("ending") {
    TEST_CASE("TERM closes the idle and finishes the busy") {
        worker_process worker([](server_settings& s) { s.keepalive = 60s; });
        client idle(worker.port());
        idle.send(get("/a"));
        idle.read_response();
        client busy(worker.port());
        busy.send(get("/sleep"));
        REQUIRE(eventually([&] { return worker.slot().running.load() == 1; }));
        worker.signal(SIGTERM);
        CHECK(idle.read_all().empty());
        const std::string last = busy.read_all();
        CHECK(body_of(last) == "slept");
        CHECK(last.find("Connection: close") != std::string::npos);
        CHECK(worker.wait_for_exit() == 0);
    }

    TEST_CASE("TERM does not lose a request whose head is half there") {
        worker_process worker([](server_settings& s) { s.keepalive = 60s; });
        client c(worker.port());
        c.send(get("/a"));
        c.read_response();
        c.send("GET /b HTTP/1.1\r\nHo");
        // The answer to another connection shows that the half was read.
        for (int i = 0; i < 3; ++i) {
            client other(worker.port());
            other.send(get("/c"));
            other.read_response();
        }
        worker.signal(SIGTERM);
        REQUIRE(eventually([&] {
            return worker.slot().state.load() == unicoro::scoreboard::worker_state::draining;
        }));
        c.send("st: test\r\n\r\n");
        CHECK(body_of(c.read_all()) == "hello from /b");
        CHECK(worker.wait_for_exit() == 0);
    }

    TEST_CASE("TERM with keepalive 0 leaves an unused connection its header limit") {
        worker_process worker([](server_settings& s) {
            s.keepalive = 0ms;
            s.header_timeout = 400ms;
            s.graceful_timeout = 60s;
        });
        client unused(worker.port());
        REQUIRE(eventually([&] { return worker.slot().connections.load() == 1; }));
        worker.signal(SIGTERM);
        CHECK(worker.wait_for_exit() == 0);
    }

    TEST_CASE("graceful_timeout ends what does not end by itself") {
        worker_process worker([](server_settings& s) { s.graceful_timeout = 150ms; });
        client stuck(worker.port());
        stuck.send(get("/forever"));
        REQUIRE(eventually([&] { return worker.slot().running.load() == 1; }));
        worker.signal(SIGTERM);
        CHECK(worker.wait_for_exit() == 0);
    }

    TEST_CASE("QUIT ends at once") {
        worker_process worker;
        client stuck(worker.port());
        stuck.send(get("/forever"));
        REQUIRE(eventually([&] { return worker.slot().running.load() == 1; }));
        worker.signal(SIGQUIT);
        CHECK(worker.wait_for_exit() == 0);
    }

    TEST_CASE("the death of the master ends the worker") {
        worker_process worker;
        worker.cut_lifeline();
        CHECK(worker.wait_for_exit() == 0);
    }
}

TEST_SUITE("end of file") {
    TEST_CASE("a client that ends its side with its request is answered, then closed soon") {
        worker_process worker([](server_settings& s) { s.keepalive = 60s; });
        for (int i = 0; i < 5; ++i) {
            client c(worker.port());
            c.send(get("/sleep"));
            c.end_sending();
            CHECK(body_of(c.read_response()) == "slept");
            CHECK(c.read_all().empty());
            if (i > 0) continue;
            // The bytes and the end in one packet, read in one call.
            client d(worker.port());
            d.send(get("/a") + get("/b"));
            d.end_sending();
            CHECK(body_of(d.read_response()) == "hello from /a");
            CHECK(body_of(d.read_response()) == "hello from /b");
            CHECK(d.read_all().empty());
        }
    }
}
