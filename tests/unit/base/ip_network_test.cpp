// SPDX-License-Identifier: MIT
#include "base/ip_network.hpp"

#include "support/doctest.hpp"

#include <string>

using unicoro::base::ip_address;
using unicoro::base::ip_network;
using unicoro::base::trust_list;

TEST_SUITE("ip_network") {
    TEST_CASE("an address is dotted or colon notation and nothing else") {
        for (const char* good : {"127.0.0.1", "0.0.0.0", "::", "::1", "2001:db8::1", "::ffff:10.0.0.1"}) {
            CAPTURE(good);
            CHECK(ip_address::parse(good).has_value());
        }
        for (const char* bad :
             {"",
              "127.1",
              "256.0.0.1",
              "127.0.0.1 ",
              "localhost",
              "fe80::1%eth0",
              "[::1]",
              "1.2.3.4.5",
              "010.0.0.1x",
              ":::",
              "*"}) {
            CAPTURE(bad);
            CHECK_FALSE(ip_address::parse(bad).has_value());
        }
        CHECK_FALSE(ip_address::parse(std::string("127.0.0.1\0x", 11)).has_value());
        CHECK_FALSE(ip_address::parse(std::string(300, '1')).has_value());
    }

    TEST_CASE("an address has one text, and equals the one that is mapped into IPv6") {
        CHECK(ip_address::parse("2001:DB8:0:0::1")->text() == "2001:db8::1");
        CHECK(ip_address::parse("10.0.0.1")->text() == "10.0.0.1");
        CHECK(*ip_address::parse("10.0.0.1") == *ip_address::parse("::ffff:10.0.0.1"));
        CHECK_FALSE(*ip_address::parse("10.0.0.1") == *ip_address::parse("::10.0.0.1"));
        CHECK_FALSE(*ip_address::parse("10.0.0.1") == *ip_address::parse("10.0.0.2"));
    }

    TEST_CASE("who is believed is not yet named") {
        trust_list list;
        REQUIRE(list.add("*"));
        REQUIRE(list.add("10.0.0.0/8"));
        CHECK(list.contains(*ip_address::parse("192.0.2.1")));
        CHECK_FALSE(list.names(*ip_address::parse("192.0.2.1")));
        CHECK(list.names(*ip_address::parse("::ffff:10.1.2.3")));
    }

    TEST_CASE("a block must be strict CIDR") {
        for (const char* good :
             {"10.0.0.0/8", "192.168.1.0/24", "0.0.0.0/0", "::/0", "fd00::/8", "10.1.2.3/32", "10.1.2.3"}) {
            CAPTURE(good);
            CHECK(ip_network::parse(good).has_value());
        }
        for (const char* bad :
             {"192.168.1.1/24",
              "10.0.0.0/33",
              "::1/127",
              "::/129",
              "10.0.0.0/",
              "10.0.0.0/+8",
              "10.0.0.0/-1",
              "10.0.0.0/8/8",
              "/8",
              "10.0.0.0/255.0.0.0"}) {
            CAPTURE(bad);
            CHECK_FALSE(ip_network::parse(bad).has_value());
        }
    }

    TEST_CASE("membership") {
        struct row {
            const char* network;
            const char* address;
            bool inside;
        };
        for (const row& r : {
                 row{"10.0.0.0/8", "10.255.0.1", true},
                 row{"10.0.0.0/8", "11.0.0.0", false},
                 row{"172.16.0.0/12", "172.31.255.255", true},
                 row{"172.16.0.0/12", "172.32.0.0", false},
                 row{"0.0.0.0/0", "8.8.8.8", true},
                 row{"0.0.0.0/0", "::1", false},
                 row{"::/0", "8.8.8.8", false},
                 row{"fd00::/8", "fdff::1", true},
                 row{"::1", "::1", true},
                 row{"::1", "::2", false},
                 row{"127.0.0.1", "::ffff:127.0.0.1", true},
                 row{"::ffff:127.0.0.1", "127.0.0.1", true},
                 row{"::ffff:10.0.0.0/104", "10.9.9.9", true},
             }) {
            CAPTURE(r.network);
            CAPTURE(r.address);
            const auto network = ip_network::parse(r.network);
            const auto address = ip_address::parse(r.address);
            REQUIRE(network.has_value());
            REQUIRE(address.has_value());
            CHECK(network->contains(*address) == r.inside);
        }
    }

    TEST_CASE("a trust list takes networks and the star") {
        const auto stranger = ip_address::parse("203.0.113.9").value();
        const auto friendly = ip_address::parse("127.0.0.1").value();
        trust_list list;
        CHECK_FALSE(list.contains(friendly));
        CHECK(list.add("127.0.0.1"));
        CHECK_FALSE(list.add("127.0.0.1/8"));
        CHECK(list.contains(friendly));
        CHECK_FALSE(list.contains(stranger));
        CHECK_FALSE(list.everyone());
        CHECK(list.add("*"));
        CHECK(list.everyone());
        CHECK(list.contains(stranger));
    }
}
