// SPDX-License-Identifier: MIT
#include "os/memory.hpp"

#include "base/text.hpp"

#include <fstream>
#include <sstream>
#include <string_view>

namespace unicoro::os {
namespace {

/// The number behind a word at the start of a line ("VmRSS:  12 kB", "oom_kill 3").
std::optional<std::uint64_t> number_of(std::istream& lines, std::string_view word) {
    std::string line;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string first;
        std::string number;
        words >> first >> number;
        if (first == word) return base::parse_integer<std::uint64_t>(number);
    }
    return std::nullopt;
}

std::string process_file(pid_t pid, const char* name) {
    return "/proc/" + std::to_string(pid) + "/" + name;
}

/// The sum of two figures in kB, in bytes; they stand in this order.
std::optional<std::uint64_t> sum_of(
    const std::string& file, std::string_view first, std::string_view second
) {
    std::ifstream lines(file);
    const auto resident = number_of(lines, first);
    if (!resident) return std::nullopt;
    return (*resident + number_of(lines, second).value_or(0)) * 1024;
}

}  // namespace

std::optional<std::uint64_t> resident_memory(pid_t pid) {
    return sum_of(process_file(pid, "status"), "VmRSS:", "VmSwap:");
}

std::optional<std::uint64_t> proportional_memory(pid_t pid) {
    return sum_of(process_file(pid, "smaps_rollup"), "Pss:", "SwapPss:");
}

oom_counter::oom_counter(const std::filesystem::path& root) : file_((root / "proc/vmstat").string()) {
    std::ifstream lines(root / "proc/self/cgroup");
    std::string line;
    while (std::getline(lines, line)) {
        constexpr std::string_view unified = "0::/";
        if (!line.starts_with(unified)) continue;
        const auto events = root / "sys/fs/cgroup" / line.substr(unified.size()) / "memory.events";
        std::ifstream counts(events);
        if (number_of(counts, "oom_kill")) file_ = events.string();
    }
}

std::optional<std::uint64_t> oom_counter::read() const {
    std::ifstream counts(file_);
    return number_of(counts, "oom_kill");
}

}  // namespace unicoro::os
