// SPDX-License-Identifier: MIT
#include "http/proxy_header.hpp"

#include "support/doctest.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace {

using unicoro::http::proxied_connection;
using unicoro::http::proxy_protocol;
using unicoro::http::proxy_step;
using unicoro::http::read_proxy_header;
using status = proxy_step::status;
using family = proxied_connection::family;

const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string number(std::size_t value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)};
}

std::string tlv(char type, const std::string& value) {
    return std::string(1, type) + number(value.size()) + value;
}

std::string v2(char command, char kind, const std::string& rest) {
    return signature + command + kind + number(rest.size()) + rest;
}

const std::string tcp4_ends("\xC0\x00\x02\x01\x0A\x00\x00\x01\xC0\x00\x01\xBB", 12);

struct seen {
    proxy_step step;
    proxied_connection about;
};

seen read(const std::string& input, proxy_protocol which = proxy_protocol::any) {
    seen found{};
    found.step = read_proxy_header(input, which, found.about);
    return found;
}

/// Every beginning of it asks for more; whole, and with the client's bytes behind it, it is complete.
proxied_connection complete(const std::string& header) {
    for (std::size_t size = 0; size < header.size(); ++size) {
        CAPTURE(size);
        CHECK(read(header.substr(0, size)).step.what == status::need_more);
    }
    const seen found = read(header + "GET / HTTP/1.1\r\n");
    CHECK(found.step.what == status::complete);
    CHECK(found.step.consumed == header.size());
    return found.about;
}

}  // namespace

TEST_SUITE("proxy_header") {
    TEST_CASE("version 1") {
        const proxied_connection four = complete("PROXY TCP4 192.0.2.1 10.0.0.1 49152 443\r\n");
        CHECK(four.kind == family::tcp4);
        CHECK(four.source == "192.0.2.1");
        CHECK(four.destination == "10.0.0.1");
        CHECK(four.source_port == 49152);
        CHECK(four.destination_port == 443);
        const proxied_connection six = complete("PROXY TCP6 2001:db8::1 ::1 1 0\r\n");
        CHECK(six.kind == family::tcp6);
        CHECK(six.source == "2001:db8::1");
        CHECK(complete("PROXY UNKNOWN\r\n").kind == family::none);
        CHECK(complete("PROXY UNKNOWN 1.2.3.4 whatever\r\n").kind == family::none);
    }

    TEST_CASE("version 1 that is wrong") {
        for (const std::string_view line :
             {"",
              "TCP4",
              "TCP5 1.1.1.1 1.1.1.1 1 1",
              "tcp4 1.1.1.1 1.1.1.1 1 1",
              "TCP4 1.1.1.1 1.1.1.1 1",
              "TCP4 1.1.1.1 1.1.1.1 1 1 1",
              "TCP4  1.1.1.1 1.1.1.1 1 1",
              "TCP4 1.1.1.1 1.1.1.1 1 1 ",
              "TCP4 1.1.1.1 1.1.1.1 65536 1",
              "TCP4 1.1.1.1 1.1.1.1 01 1",
              "TCP4 1.1.1.1 1.1.1.1 +1 1",
              "TCP4 1.1.1.1 1.1.1.1 1 -1",
              "TCP4 1.1.1 1.1.1.1 1 1",
              "TCP4 ::1 ::1 1 1",
              "TCP6 1.1.1.1 1.1.1.1 1 1",
              "TCP6 ::1 1.1.1.1 1 1"}) {
            CAPTURE(line);
            CHECK(read("PROXY " + std::string(line) + "\r\n").step.what == status::refused);
        }
        const std::string endless = "PROXY UNKNOWN " + std::string(100, 'x');
        CHECK(read(endless.substr(0, 106)).step.what == status::need_more);
        CHECK(read(endless).step.what == status::refused);
    }

    TEST_CASE("version 2") {
        const proxied_connection four = complete(v2('\x21', '\x11', tcp4_ends));
        CHECK(four.kind == family::tcp4);
        CHECK(four.source == "192.0.2.1");
        CHECK(four.destination == "10.0.0.1");
        CHECK(four.source_port == 49152);
        CHECK(four.destination_port == 443);
        std::string ends(36, '\0');
        ends[15] = 1;
        ends[33] = 80;
        const proxied_connection six = complete(v2('\x21', '\x21', ends));
        CHECK(six.kind == family::tcp6);
        CHECK(six.source == "::1");
        CHECK(six.destination == "::");
        CHECK(six.source_port == 80);
        std::string paths(216, '\0');
        paths.replace(0, 5, "/a.so");
        const proxied_connection local = complete(v2('\x21', '\x31', paths));
        CHECK(local.kind == family::unix_socket);
        CHECK(local.source == "/a.so");
        CHECK(local.destination.empty());
    }

    TEST_CASE("the balancer for itself, and families that nobody knows") {
        CHECK(complete(v2('\x20', '\x00', "")).kind == family::none);
        CHECK(complete(v2('\x20', '\x11', tcp4_ends)).source.empty());
        CHECK(complete(v2('\x21', '\x00', "anything")).kind == family::none);
        CHECK(complete(v2('\x21', '\x52', "")).kind == family::none);
    }

    TEST_CASE("TLVs") {
        const std::string ssl = std::string("\x07\0\0\0\0", 5) + tlv('\x21', "TLSv1.3") + tlv('\x22', "Ann");
        const proxied_connection about = complete(
            v2('\x21',
               '\x11',
               tcp4_ends + tlv('\x01', "h2") + tlv('\x02', "a.example") + tlv('\x04', "no-op") +
                   tlv('\x20', ssl) + tlv('\xEA', "vendor"))
        );
        CHECK(about.alpn == "h2");
        CHECK(about.authority == "a.example");
        CHECK(about.tls);
        CHECK(about.verified);
        CHECK(about.tls_version == "TLSv1.3");
        CHECK(about.common_name == "Ann");
        const std::string unverified("\x03\0\0\0\1", 5);
        CHECK(!complete(v2('\x21', '\x11', tcp4_ends + tlv('\x20', unverified))).verified);
        CHECK(!complete(v2('\x21', '\x11', tcp4_ends + tlv('\x20', std::string("\x01\0\0\0\0", 5)))).verified
        );
    }

    TEST_CASE("the checksum") {
        const auto with = [](const std::string& sum) {
            return v2('\x21', '\x11', tcp4_ends + tlv('\x03', sum));
        };
        CHECK(complete(with("\x20\x88\x99\x92")).kind == family::tcp4);
        CHECK(read(with(std::string(4, '\0'))).step.what == status::refused);
        CHECK(read(with("abc")).step.what == status::refused);
    }

    TEST_CASE("version 2 that is wrong") {
        const std::string cut_tlv = tlv('\x01', "h2").substr(0, 4);
        for (const std::string& header :
             {v2('\x11', '\x11', tcp4_ends),
              v2('\x22', '\x11', tcp4_ends),
              v2('\x21', '\x11', tcp4_ends.substr(1)),
              v2('\x21', '\x21', tcp4_ends),
              v2('\x21', '\x31', tcp4_ends),
              v2('\x21', '\x11', tcp4_ends + cut_tlv),
              v2('\x21', '\x11', tcp4_ends + "\x01"),
              v2('\x21', '\x11', tcp4_ends + tlv('\x20', "1234")),
              v2('\x21', '\x11', tcp4_ends + tlv('\x20', std::string("\1\0\0\0\0\x21\0\x09", 8))),
              v2('\x21', '\x11', std::string(4097, '\0'))}) {
            CAPTURE(header.size());
            CHECK(read(header).step.what == status::refused);
        }
    }

    TEST_CASE("no header, or of a version that is not read") {
        for (const std::string_view client :
             {"GET / HTTP/1.1\r\n", "P ", "PROXX", "\r\nGET", "\r\n\r\n\r", "\x16\x03\x01"}) {
            CAPTURE(client);
            CHECK(read(std::string(client)).step.what == status::absent);
        }
        for (const std::string_view client : {"", "P", "PROXY", "\r\n", "\r\n\r\n"}) {
            CAPTURE(client);
            CHECK(read(std::string(client)).step.what == status::need_more);
        }
        CHECK(read("PROXY UNKNOWN\r\n", proxy_protocol::v2).step.what == status::absent);
        CHECK(read(v2('\x20', '\x00', ""), proxy_protocol::v1).step.what == status::absent);
        CHECK(read("PROXY UNKNOWN\r\n", proxy_protocol::v1).step.what == status::complete);
        CHECK(read(v2('\x20', '\x00', ""), proxy_protocol::v2).step.what == status::complete);
        CHECK(read("PROXY UNKNOWN\r\n", proxy_protocol::off).step.what == status::absent);
    }
}
