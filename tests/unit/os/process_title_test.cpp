// SPDX-License-Identifier: MIT
#include "os/process_title.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace os = unicoro::os;
using os::testing::content_of;
using os::testing::in_child;

TEST_SUITE_BEGIN("process title");

TEST_CASE("the title is what ps shows and the environment survives") {
    CHECK(in_child([] {
              const std::string home = std::getenv("PATH");
              os::set_process_title("too early");
              if (content_of("/proc/self/cmdline").starts_with("too early")) return 1;
              os::prepare_process_title();
              os::set_process_title("unicoro: worker [app:app]");
              const std::string shown = content_of("/proc/self/cmdline");
              if (std::string(shown.c_str()) != "unicoro: worker [app:app]") return 2;
              if (home != std::getenv("PATH")) return 3;
              os::set_process_title(std::string(1 << 20, 'x'));
              if (home != std::getenv("PATH")) return 4;
              setenv("UNICORO_TITLE_TEST", "1", 1);
              os::set_process_title("short");
              return std::string(content_of("/proc/self/cmdline").c_str()) == "short" ? 0 : 5;
          }) == 0);
}

TEST_CASE("the short name is clipped") {
    CHECK(in_child([] {
              os::set_short_name("unicoro-worker-and-more");
              return content_of("/proc/self/comm") == "unicoro-worker-\n" ? 0 : 1;
          }) == 0);
}

TEST_SUITE_END();
