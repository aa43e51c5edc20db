// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace unicoro::test {

/// Gives the input to what a target is about, and says what is wrong with the outcome; empty = nothing. Each
/// target has one, in its *_invariants.cpp.
std::string broken_by(std::string_view input);

}  // namespace unicoro::test
