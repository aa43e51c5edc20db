// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace unicoro::http {

/// Checks UTF-8 that comes in pieces, cut anywhere (Unicode, table 3-7: no surrogates, no overlong forms,
/// nothing above U+10FFFF).
class utf8_checker {
  public:
    /// False as soon as nothing that follows could make it valid.
    [[nodiscard]] bool take(std::string_view piece) noexcept;
    /// No character lacks its rest.
    [[nodiscard]] bool whole() const noexcept { return missing_ == 0; }

  private:
    bool begin(unsigned char lead) noexcept;

    std::uint8_t missing_ = 0;  // bytes of the character that has begun
    std::uint8_t lowest_ = 0;   // what the next of them may be
    std::uint8_t highest_ = 0;
};

}  // namespace unicoro::http
