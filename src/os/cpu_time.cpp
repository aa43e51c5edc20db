// SPDX-License-Identifier: MIT
#include "os/cpu_time.hpp"

#include <unistd.h>

#include <cstdint>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>

namespace unicoro::os {
namespace {

std::chrono::nanoseconds time_of(clockid_t clock) noexcept {
    timespec now{};
    clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

// proc(5), /proc/pid/stat: fields 14 and 15; the name before may hold any byte, parentheses too.
std::optional<std::chrono::nanoseconds> cpu_time(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    const std::size_t end = line.rfind(')');
    if (end == std::string::npos) return std::nullopt;
    std::istringstream fields(line.substr(end + 1));
    std::string unused;
    for (int field = 3; field < 14; ++field) fields >> unused;
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    if (!(fields >> user >> system)) return std::nullopt;
    const auto ticks = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
    return std::chrono::nanoseconds((user + system) * (1'000'000'000 / ticks));
}

std::chrono::nanoseconds thread_cpu_time() noexcept {
    return time_of(CLOCK_THREAD_CPUTIME_ID);
}

std::optional<std::chrono::nanoseconds> thread_cpu_time(pthread_t which) noexcept {
    clockid_t clock{};
    if (pthread_getcpuclockid(which, &clock) != 0) return std::nullopt;
    return time_of(clock);
}

std::chrono::nanoseconds process_cpu_time() noexcept {
    return time_of(CLOCK_PROCESS_CPUTIME_ID);
}

}  // namespace unicoro::os
