// SPDX-License-Identifier: MIT
#include "settings/cpu_count.hpp"

#include "base/text.hpp"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

namespace unicoro::settings {
namespace {

namespace fs = std::filesystem;

struct free_cpu_set {
    void operator()(cpu_set_t* set) const noexcept { CPU_FREE(set); }
};

std::optional<std::string> first_line(const fs::path& file) {
    std::ifstream stream(file);
    std::string line;
    if (!std::getline(stream, line)) return std::nullopt;
    return line;
}

/// This process's place in the cgroup v2 tree: the line "0::/path".
fs::path own_group(const fs::path& root) {
    std::ifstream stream(root / "proc/self/cgroup");
    std::string line;
    while (std::getline(stream, line)) {
        if (!line.starts_with("0::/")) continue;
        fs::path group = fs::path(line.substr(4)).lexically_normal();
        // Seen from inside another cgroup namespace the path climbs out of what is mounted.
        if (group.empty() || *group.begin() == "..") return {};
        return group;
    }
    return {};
}

/// "200000 100000" = 2 CPUs, "150000 100000" = 2 (rounded up), "max 100000" = no limit.
std::optional<int> quota_of(const fs::path& group) {
    const auto line = first_line(group / "cpu.max");
    if (!line) return std::nullopt;
    std::istringstream words(*line);
    std::string quota_text;
    std::string period_text;
    words >> quota_text >> period_text;
    const auto quota = base::parse_integer<std::int64_t>(quota_text);
    const auto period = base::parse_integer<std::int64_t>(period_text);
    if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
    const std::int64_t cpus = *quota / *period + (*quota % *period == 0 ? 0 : 1);
    return static_cast<int>(std::min<std::int64_t>(cpus, 1'000'000));
}

}  // namespace

int affinity_cpu_count() noexcept {
    // The kernel refuses (EINVAL) masks smaller than its own; it may have more than CPU_SETSIZE.
    for (int cpus = CPU_SETSIZE; cpus <= (1 << 20); cpus *= 2) {
        const std::unique_ptr<cpu_set_t, free_cpu_set> set(CPU_ALLOC(static_cast<std::size_t>(cpus)));
        if (!set) break;
        const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(cpus));
        if (sched_getaffinity(0, size, set.get()) == 0) return CPU_COUNT_S(size, set.get());
        if (errno != EINVAL) break;
    }
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

int usable_cpu_count(const fs::path& root, int affinity) {
    int count = affinity;
    const fs::path mount = root / "sys/fs/cgroup";
    fs::path group = mount;
    if (const auto quota = quota_of(group)) count = std::min(count, *quota);
    for (const fs::path& step : own_group(root)) {
        group /= step;
        if (const auto quota = quota_of(group)) count = std::min(count, *quota);
    }
    return std::max(count, 1);
}

int usable_cpu_count() {
    return usable_cpu_count("/", affinity_cpu_count());
}

}  // namespace unicoro::settings
