// SPDX-License-Identifier: MIT
#include "os/identity.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <grp.h>
#include <unistd.h>

namespace os = unicoro::os;
using os::testing::in_child;

TEST_SUITE_BEGIN("identity");

TEST_CASE("users and groups are found by name and by number") {
    const auto root = os::find_user("root");
    REQUIRE(root.has_value());
    CHECK(root->uid == 0);
    CHECK(root->primary_group == gid_t{0});
    const auto zero = os::find_user("0");
    REQUIRE(zero.has_value());
    CHECK(zero->name == "root");
    const auto stranger = os::find_user("54321");
    REQUIRE(stranger.has_value());
    CHECK(stranger->uid == 54321);
    CHECK(stranger->name.empty());
    CHECK_FALSE(stranger->primary_group);
    CHECK(*os::find_group("root") == 0);
    CHECK(*os::find_group("54321") == 54321);
}

TEST_CASE("unknown names are errors that name them") {
    for (const char* name : {"no-such-user-here", "", "-1", "99999999999"}) {
        CAPTURE(name);
        const auto user = os::find_user(name);
        REQUIRE(user.has_error());
        CHECK(user.error().message.find("no such user") != std::string::npos);
        const auto group = os::find_group(name);
        REQUIRE(group.has_error());
        CHECK(group.error().message.find("no such group") != std::string::npos);
    }
}

TEST_CASE("nothing wanted changes nothing") {
    CHECK(in_child([] {
              const auto before = getgroups(0, nullptr);
              if (!os::drop_privileges({})) return 1;
              return getgroups(0, nullptr) == before ? 0 : 2;
          }) == 0);
}

TEST_CASE("privileges are gone for good" * doctest::skip(geteuid() != 0)) {
    os::privileges wanted;
    wanted.uid = 54321;
    wanted.gid = 54322;
    CHECK(in_child([&wanted] {
              const gid_t extra[] = {0, 4, 24};
              if (setgroups(3, extra) != 0) return 1;
              if (!os::drop_privileges(wanted)) return 2;
              if (getuid() != 54321 || geteuid() != 54321) return 3;
              if (getgid() != 54322 || getegid() != 54322) return 4;
              if (getgroups(0, nullptr) != 0) return 5;
              if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0) return 6;
              // A second time there is nothing to change, and nothing else is possible.
              if (!os::drop_privileges(wanted)) return 7;
              os::privileges other = wanted;
              other.uid = 0;
              const auto refused = os::drop_privileges(other);
              if (refused) return 8;
              return refused.error().message.find("only root") == std::string::npos ? 9 : 0;
          }) == 0);
}

TEST_CASE("initgroups takes the groups of the user database" * doctest::skip(geteuid() != 0)) {
    const auto user = os::find_user("nobody");
    REQUIRE(user.has_value());
    os::privileges wanted;
    wanted.uid = user->uid;
    wanted.gid = user->primary_group;
    wanted.user_name = user->name;
    wanted.groups = os::privileges::extra_groups::of_user;
    CHECK(in_child([&wanted] {
              if (!os::drop_privileges(wanted)) return 1;
              return getgroups(0, nullptr) >= 1 && getuid() == *wanted.uid ? 0 : 2;
          }) == 0);
}

TEST_SUITE_END();
