// SPDX-License-Identifier: MIT
#pragma once

#include "monitor/metrics_text.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace unicoro::monitor {

struct label {
    std::string_view name;
    std::string_view value;
};

/// Writes families of metrics one after the other: first the kind of family, then its samples.
class families {
  public:
    explicit families(exposition how) : how_(how) {}

    /// `name` without "_total"; `unit` is the end of it, or empty.
    void begin_counter(std::string_view name, std::string_view help, std::string_view unit = {});
    void begin_gauge(std::string_view name, std::string_view help, std::string_view unit = {});
    void begin_histogram(std::string_view name, std::string_view help, std::string_view unit = {});
    /// One sample with the value 1; `name` without "_info".
    void info(std::string_view name, std::string_view help, std::initializer_list<label> labels);

    void sample(std::initializer_list<label> labels, std::uint64_t value);
    void sample(std::initializer_list<label> labels, double value);

    /// Of the family begun last: counts of each bucket, not added up, and the sum of nanoseconds.
    void histogram(std::span<const std::uint64_t> counts, std::uint64_t sum_ns);

    [[nodiscard]] std::string take();

  private:
    void begin(std::string_view name, std::string_view type, std::string_view help, std::string_view unit);
    void line(std::string_view suffix, std::initializer_list<label> labels, std::string_view value);

    exposition how_;
    std::string name_;
    std::string_view suffix_;
    std::string text_;
};

/// A number as both formats write it.
[[nodiscard]] std::string number_text(double value);

}  // namespace unicoro::monitor
