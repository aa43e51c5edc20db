// SPDX-License-Identifier: MIT
#include "master/monitor_launch.hpp"

#include "base/text.hpp"

#include <fmt/core.h>

#include <vector>

namespace unicoro::master {
namespace {

using namespace std::string_view_literals;

// Log files are handed over under their paths, which have no such byte.
constexpr std::string_view heading = "\0slot"sv;

}  // namespace

std::string slot_name(std::size_t slot, std::uint64_t age) {
    return fmt::format("{},{},{}", heading, slot, age);
}

std::optional<named_slot> read_slot_name(std::string_view name) {
    const std::vector<std::string> parts = base::split_list(name);
    if (parts.size() != 3 || parts[0] != heading) return std::nullopt;
    const auto slot = base::parse_integer<std::size_t>(parts[1]);
    const auto age = base::parse_integer<std::uint64_t>(parts[2]);
    if (!slot || !age) return std::nullopt;
    return named_slot{*slot, *age};
}

}  // namespace unicoro::master
