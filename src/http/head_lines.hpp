// SPDX-License-Identifier: MIT
#pragma once

#include "http/policy.hpp"
#include "http/refusal.hpp"

#include <cstddef>
#include <string_view>

namespace unicoro::http {

/// Finds the lines of a request head while its bytes arrive, each byte looked at once, and refuses
/// what no later byte can mend: lines and heads over their limit, bare LF, folded lines. Knows
/// nothing of what the lines say. What it answers does not depend on how the bytes were split.
class head_lines {
  public:
    enum class step { need_more, found, refused };

    explicit head_lines(const policy& rules) noexcept;

    /// Ready for the next head.
    void reset() noexcept;

    /// Looks for the end of the request line. `input` starts with the head.
    step find_request_line(std::string_view input, refusal& why);

    /// Looks for the empty line, once the request line is found.
    step find_end(std::string_view input, refusal& why);

    /// Where the request line starts: behind the one CRLF that may stand before it.
    [[nodiscard]] std::size_t request_line() const noexcept { return begin_; }
    /// Where the field lines start, once the request line is found.
    [[nodiscard]] std::size_t fields() const noexcept { return fields_; }
    /// Where the head ends, its empty line included, once that is found.
    [[nodiscard]] std::size_t end() const noexcept { return line_; }
    /// Whether a field continues on a second line (obs-fold; RFC 9112, 5.2).
    [[nodiscard]] bool folded() const noexcept { return folded_; }

  private:
    enum class part { before, request_line, fields };

    step skip_empty_line(std::string_view input, refusal& why);
    bool open_line(char first, refusal& why);
    bool field_fits(std::string_view input, std::size_t seen, refusal& why) const;

    std::size_t line_limit_;
    std::size_t fields_limit_;
    std::size_t field_size_limit_;
    std::size_t head_limit_;
    bool permit_folding_;

    part part_ = part::before;
    bool folded_ = false;
    std::size_t begin_ = 0;
    std::size_t fields_ = 0;
    std::size_t line_ = 0;   // start of the current line
    std::size_t field_ = 0;  // start of the current field, which may have several lines
    std::size_t seen_ = 0;   // bytes searched for LF
    std::size_t count_ = 0;  // fields begun
};

}  // namespace unicoro::http
