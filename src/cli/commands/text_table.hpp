// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::cli {

/// Text from elsewhere made fit for a terminal: what is not printable ASCII becomes \xHH, and what is longer
/// than `most` ends in "...".
[[nodiscard]] std::string shown(std::string_view text, std::size_t most = 200);

/// "0.25 s", "12.3 s", "5 min 3 s", "2 h 5 min", "3 d 4 h".
[[nodiscard]] std::string shown_time(double seconds);

/// "512 K", "45.2 M", "1.3 G": of 1024.
[[nodiscard]] std::string shown_bytes(double bytes);

/// With this many digits after the point.
[[nodiscard]] std::string shown_number(double value, int digits = 0);

/// Lines of columns as wide as their widest cell, two blanks apart. Columns are set right but for those
/// named.
class text_table {
  public:
    explicit text_table(std::vector<std::string> head, std::vector<std::size_t> set_left = {});
    void add(std::vector<std::string> row);
    /// The head first, without blanks at their ends.
    [[nodiscard]] std::vector<std::string> lines() const;

  private:
    std::vector<std::vector<std::string>> rows_;
    std::vector<std::size_t> set_left_;
};

}  // namespace unicoro::cli
