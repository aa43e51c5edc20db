// SPDX-License-Identifier: MIT
#include "os/environment.hpp"

#include "support/doctest.hpp"

#include <cstdlib>
#include <string>
#include <vector>

namespace {

using variables = std::vector<std::pair<std::string, std::string>>;

std::string value_of(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "(unset)" : value;
}

}  // namespace

TEST_CASE("variables are set and put back") {
    setenv("UNICORO_TEST_A", "before", 1);
    unsetenv("UNICORO_TEST_B");
    unicoro::os::environment_overlay overlay;

    overlay.apply(variables{{"UNICORO_TEST_A", "one"}, {"UNICORO_TEST_B", "two"}});
    CHECK(value_of("UNICORO_TEST_A") == "one");
    CHECK(value_of("UNICORO_TEST_B") == "two");

    SUBCASE("a second set starts from the original values") {
        overlay.apply(variables{{"UNICORO_TEST_B", "three"}, {"UNICORO_TEST_B", "four"}});
        CHECK(value_of("UNICORO_TEST_A") == "before");
        CHECK(value_of("UNICORO_TEST_B") == "four");
    }
    overlay.restore();
    CHECK(value_of("UNICORO_TEST_A") == "before");
    CHECK(value_of("UNICORO_TEST_B") == "(unset)");
}
