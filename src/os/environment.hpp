// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace unicoro::os {

/// Sets variables of the environment and remembers what they were, so that a reload starts from the
/// values of the start. Single-threaded processes only.
class environment_overlay {
  public:
    /// Undoes what was applied before and sets these; the last of equal names wins.
    void apply(std::span<const std::pair<std::string, std::string>> variables);

    /// Puts every variable back to its value before the first `apply`.
    void restore() noexcept;

  private:
    std::map<std::string, std::optional<std::string>> originals_;
};

}  // namespace unicoro::os
