// SPDX-License-Identifier: MIT
#include "os/process.hpp"

#include "support/doctest.hpp"
#include "support/os_fixtures.hpp"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

namespace os = unicoro::os;

namespace {

int prepared = 0;
int in_parents = 0;
int in_children = 0;

// The runtime of AddressSanitizer, unlike malloc(3), stays locked in a child that is forked while another
// thread allocates or starts.
#ifdef __SANITIZE_ADDRESS__
constexpr bool is_fork_safe = false;
#else
constexpr bool is_fork_safe = true;
#endif

// What a worker does first: memory and threads of its own.
int live(pid_t wanted_parent) {
    const bool adopted = getppid() == wanted_parent;
    std::thread([] { const std::string text(10'000, 'x'); }).join();
    return adopted && prepared == 1 && in_children == 1 && in_parents == 0 ? 7 : 1;
}

/// Forks an orphan beside a thread that allocates; its pid, or 0 when something was wrong.
int fork_between(pid_t wanted_parent, int told) {
    std::atomic<bool> done = false;
    std::thread busy;
    if (is_fork_safe) {
        busy = std::thread([&done] {
            while (!done) std::string(1000, 'x').resize(2000);
        });
    }
    const auto made = os::fork_orphan();
    if (made && *made == 0) _exit(live(wanted_parent));
    done = true;
    if (busy.joinable()) busy.join();
    const bool well =
        made && prepared == 1 && in_parents == 1 && in_children == 0 && waitpid(-1, nullptr, WNOHANG) < 0;
    const pid_t pid = well ? *made : 0;
    return write(told, &pid, sizeof pid) == sizeof pid ? 0 : 1;
}

int adopt() {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0 || os::adopt_orphans() || os::is_child(getpid())) return 2;
    const pid_t self = getpid();
    const pid_t between = os::fork_process().value();
    if (between == 0) {
        prepared = in_parents = in_children = 0;
        _exit(fork_between(self, ends[1]));
    }
    pid_t orphan = 0;
    if (read(ends[0], &orphan, sizeof orphan) != sizeof orphan || orphan == 0) return 3;
    if (os::testing::end_of(between) != 0 || !os::is_child(orphan)) return 4;
    const int end = os::testing::end_of(orphan);
    return os::is_child(orphan) ? 5 : end;
}

}  // namespace

TEST_SUITE_BEGIN("orphans");

TEST_CASE("an orphan is a child of who adopts it, and forked once") {
    static const int watched =
        pthread_atfork([] { ++prepared; }, [] { ++in_parents; }, [] { ++in_children; });
    REQUIRE(watched == 0);
    for (int turn = 0; turn < 20; ++turn) CHECK(os::testing::in_own_child(&adopt) == 7);
}

TEST_SUITE_END();
