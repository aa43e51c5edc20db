// SPDX-License-Identifier: MIT
#include "os/process.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <sys/resource.h>

#include <cstdlib>
#include <cstring>
#include <vector>

namespace os = unicoro::os;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)

namespace {

/// Page faults that the buffers of a hundred bodies cost, some at a time.
long faults_of_bodies() {
    constexpr std::size_t size = 1000 * 1000;
    rusage before{};
    rusage after{};
    getrusage(RUSAGE_SELF, &before);
    for (int turn = 0; turn < 25; ++turn) {
        std::vector<void*> bodies;
        for (int count = 0; count < 4; ++count) {
            bodies.push_back(std::malloc(size));
            std::memset(bodies.back(), turn, size);
        }
        for (void* const each : bodies) std::free(each);
    }
    getrusage(RUSAGE_SELF, &after);
    return after.ru_minflt - before.ru_minflt;
}

}  // namespace

TEST_SUITE("process") {
    TEST_CASE("memory of bodies is used again") {
        const int outcome = os::testing::in_child([] {
            os::keep_freed_memory();
            (void)faults_of_bodies();
            return faults_of_bodies() < 2500 ? 0 : 1;
        });
        CHECK(outcome == 0);
    }
}

#endif
