// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <string>

namespace unicoro::base {

/// What an exception says, for people: of Boost's without the place in its source and the numbers.
[[nodiscard]] std::string exception_text(const std::exception& error);

/// The same of one that is not a std::exception, too.
[[nodiscard]] std::string exception_text(const std::exception_ptr& failure);

}  // namespace unicoro::base
