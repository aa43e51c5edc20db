// SPDX-License-Identifier: MIT
#include "master/launch_set.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <unistd.h>

using namespace unicoro::master;
namespace os = unicoro::os;
using os::testing::temp_dir;
using unicoro::settings::bind_address;
using unicoro::settings::server_settings;

namespace {

bind_address tcp(std::uint16_t port = 0) {
    bind_address made;
    made.host = "127.0.0.1";
    made.port = port;
    return made;
}

bind_address at_path(const std::string& path) {
    bind_address made;
    made.type = bind_address::kind::unix_path;
    made.path = path;
    return made;
}

}  // namespace

TEST_SUITE_BEGIN("launch set");

TEST_CASE("equal addresses keep their socket, new ones are opened") {
    const temp_dir dir;
    server_settings values;
    values.bind = {tcp(), at_path(dir.file("one.sock"))};
    const auto first = open_listeners(values, {}, {});
    REQUIRE(first.has_value());
    values.bind = {at_path(dir.file("two.sock")), tcp()};
    values.umask = 0077;
    const auto second = open_listeners(values, {}, *first);
    REQUIRE(second.has_value());
    CHECK((*second)[1].socket.fd() == (*first)[0].socket.fd());

    remove_paths(*first, *second);
    CHECK_FALSE(std::filesystem::exists(dir.file("one.sock")));
    CHECK(std::filesystem::exists(dir.file("two.sock")));
    remove_paths(*second, *second);
    CHECK(std::filesystem::exists(dir.file("two.sock")));
}

TEST_CASE("a kept unix socket gets the new rights") {
    const temp_dir dir;
    server_settings values;
    values.bind = {at_path(dir.file("app.sock"))};
    const auto first = open_listeners(values, {}, {});
    REQUIRE(first.has_value());
    values.umask = 0027;
    REQUIRE(open_listeners(values, {}, *first).has_value());
    const auto rights = std::filesystem::status(dir.file("app.sock")).permissions();
    CHECK(static_cast<unsigned>(rights) == 0750);
}

TEST_CASE("a failure leaves nothing behind and keeps what was there") {
    const temp_dir dir;
    server_settings values;
    values.bind = {at_path(dir.file("kept.sock"))};
    const auto first = open_listeners(values, {}, {});
    REQUIRE(first.has_value());
    std::ofstream(dir.file("file")) << "x";
    values.bind = {at_path(dir.file("kept.sock")), at_path(dir.file("new.sock")), at_path(dir.file("file"))};
    const auto second = open_listeners(values, {}, *first);
    REQUIRE(second.has_error());
    CHECK(second.error().message.find("is not a socket") != std::string::npos);
    CHECK(std::filesystem::exists(dir.file("kept.sock")));
    CHECK_FALSE(std::filesystem::exists(dir.file("new.sock")));
}

TEST_CASE("reuse_port cannot change while the address is in use") {
    server_settings values;
    values.bind = {tcp()};
    values.reuse_port = true;
    const auto first = open_listeners(values, {}, {});
    REQUIRE(first.has_value());
    CHECK((*first)[0].socket.shares_port());
    values.reuse_port = false;
    const auto second = open_listeners(values, {}, *first);
    REQUIRE(second.has_error());
    CHECK(second.error().message.starts_with("reuse_port cannot be switched off"));

    server_settings shared;
    shared.bind = {tcp()};
    const auto third = open_listeners(shared, {}, {});
    REQUIRE(third.has_value());
    shared.reuse_port = true;
    const auto fourth = open_listeners(shared, {}, *third);
    REQUIRE(fourth.has_error());
    CHECK(fourth.error().message.starts_with("reuse_port cannot be switched on"));
}

TEST_CASE("privileges") {
    server_settings values;
    SUBCASE("none asked") {
        const auto wanted = wanted_privileges(values);
        REQUIRE(wanted.has_value());
        CHECK_FALSE(wanted->uid);
        CHECK_FALSE(wanted->gid);
    }
    SUBCASE("a user brings the primary group") {
        values.user = "nobody";
        const auto wanted = wanted_privileges(values);
        REQUIRE(wanted.has_value());
        CHECK(wanted->uid == os::find_user("nobody")->uid);
        CHECK(wanted->gid == os::find_user("nobody")->primary_group);
        CHECK(wanted->groups == os::privileges::extra_groups::none);
    }
    SUBCASE("unless there is a group") {
        values.user = "nobody";
        values.group = "54321";
        values.initgroups = true;
        const auto wanted = wanted_privileges(values);
        REQUIRE(wanted.has_value());
        CHECK(wanted->gid == gid_t{54321});
        CHECK(wanted->groups == os::privileges::extra_groups::of_user);
    }
    SUBCASE("unknown") {
        values.group = "no-such-group-here";
        CHECK(wanted_privileges(values).has_error());
    }
}

TEST_SUITE_END();
