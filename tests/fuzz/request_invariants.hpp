// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace unicoro::test {

/// Parses the bytes under a strict and a permissive policy, from trusted and other peers, at once
/// and in several kinds of pieces. Returns what is wrong with the results, empty when they are as
/// they must be: the same for any split, refusals with an honest status and a clean reason,
/// accepted requests that keep the grammar.
std::string broken_invariant(std::string_view wire);

}  // namespace unicoro::test
