// SPDX-License-Identifier: MIT
#include "support/doctest.hpp"
#include "unit/worker/messages.hpp"
#include "unit/worker/worker_fixture.hpp"

#include <string>
#include <utility>

using namespace worker_test;
using unicoro::settings::server_settings;

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
        c.send(
            get("/a") + "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello" +
            get("/sleep") + get("/b")
        );
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
        c.send(
            "POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 31\r\n\r\nGET /evil HTTP/1.1\r\nHost: "
            "x\r\n\r\n"
        );
        c.send(get("/b"));
        CHECK(body_of(c.read_response()) == "hello from /a");
        CHECK(body_of(c.read_response()) == "hello from /b");
    }

    TEST_CASE("a body that cannot be read is answered, then the connection closes") {
        worker_process worker([](server_settings& s) {
            s.policy.limit_request_body = 4;
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
        CHECK(c.read_until("0\r\n\r\n") == "4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n");
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
