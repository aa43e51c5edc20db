// SPDX-License-Identifier: MIT
#include "support/doctest.hpp"
#include "unit/worker/worker_fixture.hpp"

#include <csignal>
#include <memory>
#include <string>
#include <vector>

using namespace worker_test;
using unicoro::settings::server_settings;

namespace {

std::string get(std::string_view path, std::string_view more = "") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more) + "\r\n";
}

std::string body_of(const std::string& response) {
    return response.substr(response.find("\r\n\r\n") + 4);
}

std::string status_of(const std::string& response) { return response.substr(9, 3); }

}  // namespace

TEST_SUITE("connection") {
    TEST_CASE("keep-alive serves one request after another") {
        worker_process worker;
        client c(worker.port());
        for (const std::string path : {"/a", "/b", "/c"}) {
            c.send(get(path));
            CHECK(body_of(c.read_response()) == "hello from " + path);
        }
        CHECK(eventually([&] { return worker.slot().requests.load() == 3; }));
        CHECK(worker.slot().running.load() == 0);
    }

    TEST_CASE("pipelined requests are answered in order") {
        worker_process worker;
        client c(worker.port());
        c.send(get("/a") + "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello" +
               get("/sleep") + get("/b"));
        CHECK(body_of(c.read_response()) == "hello from /a");
        CHECK(body_of(c.read_response()) == "hello");
        CHECK(body_of(c.read_response()) == "slept");
        CHECK(body_of(c.read_response()) == "hello from /b");
    }

    TEST_CASE("a request split at every byte is one request") {
        worker_process worker;
        client c(worker.port());
        const std::string request =
            "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n";
        for (std::size_t split = 1; split < request.size(); ++split) {
            c.send(std::string_view(request).substr(0, split));
            c.send(std::string_view(request).substr(split));
            REQUIRE(body_of(c.read_response()) == "abcde");
        }
    }

    TEST_CASE("a large body goes both ways") {
        worker_process worker;
        client c(worker.port());
        const std::string body(3'000'000, 'x');
        c.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3000000\r\n\r\n");
        c.send(body);
        CHECK(body_of(c.read_response()) == body);
    }

    TEST_CASE("100 Continue is sent when the application reads, and only then") {
        worker_process worker;
        client c(worker.port());
        c.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
        CHECK(c.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
        c.send("ok");
        CHECK(body_of(c.read_response()) == "ok");
        client d(worker.port());
        d.send("POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
        const std::string refused = d.read_all();
        CHECK(status_of(refused) == "200");
        CHECK(refused.find("Connection: close") != std::string::npos);
    }

    TEST_CASE("a body nobody read does not become the next request") {
        worker_process worker;
        client c(worker.port());
        c.send("POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 31\r\n\r\nGET /evil HTTP/1.1\r\nHost: x\r\n\r\n");
        c.send(get("/b"));
        CHECK(body_of(c.read_response()) == "hello from /a");
        CHECK(body_of(c.read_response()) == "hello from /b");
    }

    TEST_CASE("a body that cannot be read is answered, then the connection closes") {
        worker_process worker([](server_settings& s) {
            s.limit_request_body = 4;
            s.body_timeout = 100ms;
        });
        const std::string chunked = "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (const auto& [body, status] : {
                 std::pair{"8\r\n12345678\r\n0\r\n\r\n", "413"},
                 std::pair{"zz\r\n", "400"},
                 std::pair{"3\r\nab", "400"},
             }) {
            client c(worker.port());
            c.send(chunked + body);
            const std::string answer = c.read_all();
            CHECK(status_of(answer) == status);
            CHECK(answer.find("Connection: close") != std::string::npos);
        }
    }

    TEST_CASE("streams are chunked for HTTP/1.1 and end with the connection for HTTP/1.0") {
        worker_process worker;
        client c(worker.port());
        c.send(get("/stream"));
        CHECK(c.read_until("\r\n\r\n").find("Transfer-Encoding: chunked") != std::string::npos);
        CHECK(c.read_until("0\r\n\r\n") ==
              "4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n");
        client d(worker.port());
        d.send("GET /stream HTTP/1.0\r\n\r\n");
        CHECK(body_of(d.read_all()) == "one two three");
    }

    TEST_CASE("writes that add no bytes do not end the connection") {
        worker_process worker;
        client c(worker.port());
        c.send("HEAD /stream HTTP/1.1\r\nHost: test\r\n\r\n");
        CHECK(c.read_until("\r\n\r\n").find("Connection: close") == std::string::npos);
        c.send(get("/pieces"));
        CHECK(body_of(c.read_response()) == "hello");
        c.send(get("/a"));
        CHECK(body_of(c.read_response()) == "hello from /a");
    }

    TEST_CASE("no 100 Continue inside a response that has begun") {
        worker_process worker;
        client c(worker.port());
        c.send("POST /talk HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
        CHECK(c.read_until("go on \r\n").find("100 Continue") == std::string::npos);
        c.send("yes");
        CHECK(c.read_until("0\r\n\r\n") == "3\r\nyes\r\n0\r\n\r\n");
    }

    TEST_CASE("a chunked body that waits for 100 Continue and is not read costs the connection") {
        worker_process worker;
        client c(worker.port());
        c.send("POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
        CHECK(c.read_response().find("Connection: close") != std::string::npos);
        c.send("5\r\nhello\r\n0\r\n\r\n");
        CHECK(c.read_all().empty());
    }

    TEST_CASE("a cut response that ends with the connection is reset") {
        worker_process worker;
        client c(worker.port());
        c.send("GET /break HTTP/1.0\r\n\r\n");
        CHECK(c.read_all().find("[reset]") != std::string::npos);
    }

    TEST_CASE("HEAD has the length and no body") {
        worker_process worker;
        client c(worker.port());
        c.send("HEAD /a HTTP/1.1\r\nHost: test\r\n\r\n");
        const std::string head = c.read_until("\r\n\r\n");
        CHECK(head.find("Content-Length: 13") != std::string::npos);
        c.send(get("/b"));
        CHECK(body_of(c.read_response()) == "hello from /b");
    }

    TEST_CASE("a response much larger than the socket's buffer waits for the reader") {
        worker_process worker;
        client c(worker.port());
        c.send(get("/big"));
        CHECK(body_of(c.read_response()).size() == std::size_t{8} << 20);
        c.send(get("/a"));
        CHECK(body_of(c.read_response()) == "hello from /a");
    }

    TEST_CASE("a wrong Content-Length costs at most the connection") {
        worker_process worker;
        client c(worker.port());
        c.send(get("/short"));
        CHECK(body_of(c.read_all()) == "12345");
        client d(worker.port());
        d.send(get("/long") + get("/a"));
        CHECK(body_of(d.read_response()) == "123");
        CHECK(body_of(d.read_response()) == "hello from /a");
    }

    TEST_CASE("failures are answered 500, or cut when the response had begun") {
        worker_process worker;
        client c(worker.port());
        c.send(get("/throw"));
        CHECK(status_of(c.read_response()) == "500");
        c.send(get("/nothing"));
        CHECK(status_of(c.read_response()) == "500");
        c.send(get("/break"));
        const std::string cut = c.read_all();
        CHECK(cut.find("half") != std::string::npos);
        CHECK(cut.find("0\r\n\r\n") == std::string::npos);
    }

    TEST_CASE("an invalid request is refused, even with the client still sending") {
        worker_process worker;
        client c(worker.port());
        c.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + std::string(200'000, 'z'));
        const std::string answer = c.read_until("\r\n\r\n");
        CHECK(status_of(answer) == "400");
        CHECK(answer.find("Connection: close") != std::string::npos);
    }
}

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
            s.keepalive = 60s;
        });
        std::vector<std::unique_ptr<client>> open;
        for (int i = 0; i < 3; ++i) {
            open.push_back(std::make_unique<client>(worker.port()));
            open.back()->send(get("/a"));
            open.back()->read_response();
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
