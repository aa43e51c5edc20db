// SPDX-License-Identifier: MIT
#pragma once

#include "log/line_file.hpp"

#include <spdlog/sinks/sink.h>

#include <atomic>
#include <memory>
#include <string>

namespace unicoro::log {

/// Error lines in gunicorn's form, `[date time zone] [pid] [LEVEL] message`, to a `line_file`.
/// Holds no lock, so a fork at any moment leaves nothing locked; each thread builds its line on its
/// own.
class error_sink final : public spdlog::sinks::sink {
  public:
    explicit error_sink(line_file& target) noexcept : target_(target) {}
    void log(const spdlog::details::log_msg& message) override;
    /// Says how many lines were lost, once lines get through again.
    void report_loss();
    void flush() override {}
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  private:
    line_file& target_;
};

/// Ready lines of the access log, newline included, to a `line_file`. Says once in the error log
/// that lines are lost, and how many when they no longer are.
class ready_line_sink final : public spdlog::sinks::sink {
  public:
    explicit ready_line_sink(line_file& target) noexcept : target_(target) {}
    void log(const spdlog::details::log_msg& message) override;
    void report_loss();
    void flush() override {}
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  private:
    line_file& target_;
    std::atomic<bool> losing_{false};
};

/// The line `error_sink` writes, appended with its newline.
void append_error_line(std::string& line, const spdlog::details::log_msg& message);

}  // namespace unicoro::log
