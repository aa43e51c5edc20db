// SPDX-License-Identifier: MIT
#include "settings/bind_address.hpp"

#include "support/doctest.hpp"

#include <string>

using unicoro::settings::bind_address;
using unicoro::settings::parse_bind_address;
using kind = bind_address::kind;

TEST_SUITE("bind_address") {
    TEST_CASE("every form of gunicorn") {
        struct row {
            const char* written;
            kind type;
            const char* host;
            int port;
            const char* path;
            int fd;
        };
        for (const row& r : {
                 row{"127.0.0.1:9000", kind::tcp, "127.0.0.1", 9000, "", -1},
                 row{"127.0.0.1", kind::tcp, "127.0.0.1", 8000, "", -1},
                 row{"LocalHost:80", kind::tcp, "localhost", 80, "", -1},
                 row{":9000", kind::tcp, "", 9000, "", -1},
                 row{"", kind::tcp, "0.0.0.0", 8000, "", -1},
                 row{"0.0.0.0:0", kind::tcp, "0.0.0.0", 0, "", -1},
                 row{"[::1]:9000", kind::tcp, "::1", 9000, "", -1},
                 row{"[::]", kind::tcp, "::", 8000, "", -1},
                 row{"[fe80::1%eth0]:80", kind::tcp, "fe80::1%eth0", 80, "", -1},
                 row{"tcp://example.org:81", kind::tcp, "example.org", 81, "", -1},
                 row{"tcp://[::1]:81", kind::tcp, "::1", 81, "", -1},
                 row{"unix:/run/app.sock", kind::unix_path, "", 0, "/run/app.sock", -1},
                 row{"unix:///run/app.sock", kind::unix_path, "", 0, "/run/app.sock", -1},
                 row{"unix://rel.sock", kind::unix_path, "", 0, "rel.sock", -1},
                 row{"unix:@x", kind::unix_path, "", 0, "@x", -1},
                 row{"fd://3", kind::inherited_fd, "", 0, "", 3},
             }) {
            CAPTURE(r.written);
            std::string problem;
            const auto address = parse_bind_address(r.written, problem);
            REQUIRE(address.has_value());
            CHECK(problem.empty());
            CHECK(address->type == r.type);
            CHECK(address->host == r.host);
            CHECK(address->port == r.port);
            CHECK(address->path == r.path);
            CHECK(address->fd == r.fd);
            CHECK_FALSE(address->text.empty());
        }
    }

    TEST_CASE("what is refused, and why") {
        struct row {
            std::string written;
            const char* reason;
        };
        for (const row& r : {
                 row{"127.0.0.1:", "port"},
                 row{"127.0.0.1:65536", "port"},
                 row{"127.0.0.1:-1", "port"},
                 row{"127.0.0.1:http", "port"},
                 row{"::1", "brackets"},
                 row{"::1:8000", "brackets"},
                 row{"[::1", "not closed"},
                 row{"[::1]8000", "between the bracket"},
                 row{"[127.0.0.1]:80", "no IPv6 address"},
                 row{"http://0.0.0.0:80", "unknown scheme"},
                 row{"0.0.0.0:80/", "port"},
                 row{"a b:80", "HOST:PORT"},
                 row{"/run/app.sock", "unix:PATH"},
                 row{"unix:", "no path"},
                 row{"unix:/" + std::string(107, 'x'), "longer"},
                 row{"fd://", "file descriptor"},
                 row{"fd://x", "file descriptor"},
                 row{"fd://-1", "file descriptor"},
             }) {
            CAPTURE(r.written);
            std::string problem;
            CHECK_FALSE(parse_bind_address(r.written, problem).has_value());
            CAPTURE(problem);
            CHECK(problem.find(r.reason) != std::string::npos);
        }
        std::string problem;
        CHECK(parse_bind_address("unix:/" + std::string(106, 'x'), problem).has_value());
    }

    TEST_CASE("what only this machine reaches") {
        const auto is_loopback = [](const char* written) {
            std::string problem;
            return unicoro::settings::is_loopback(parse_bind_address(written, problem).value());
        };
        for (const char* const own : {"127.0.0.1", "127.9.8.7:9000", "[::1]:9000", "LocalHost:9000"}) {
            CAPTURE(own);
            CHECK(is_loopback(own));
        }
        for (const char* const other :
             {"0.0.0.0:9000",
              ":9000",
              "[::]:9000",
              "10.0.0.1",
              "[::2]:1",
              "[::127.0.0.1]:1",
              "127.0.0.1.example:80",
              "localhost.example:80",
              "unix:/a",
              "fd://3"}) {
            CAPTURE(other);
            CHECK_FALSE(is_loopback(other));
        }
    }
}
