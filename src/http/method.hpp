// SPDX-License-Identifier: MIT
#pragma once

#include "http/policy.hpp"
#include "http/refusal.hpp"

#include <string_view>

namespace unicoro::http {

/// Judges a method, which is a token already. False with `why` filled in.
bool accept_method(std::string_view method, const policy& rules, refusal& why);

}  // namespace unicoro::http
