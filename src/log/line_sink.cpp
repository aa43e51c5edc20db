// SPDX-License-Identifier: MIT
#include "log/line_sink.hpp"

#include "log/log.hpp"
#include "log/text.hpp"
#include "log/time_text.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

namespace unicoro::log {
namespace {

std::string_view level_name(spdlog::level::level_enum level) noexcept {
    switch (level) {
        case spdlog::level::trace:
        case spdlog::level::debug: return "DEBUG";
        case spdlog::level::info: return "INFO";
        case spdlog::level::warn: return "WARNING";
        case spdlog::level::err: return "ERROR";
        default: return "CRITICAL";
    }
}

std::string reason(int error) {
    return error == EAGAIN ? "nobody reads the pipe" : std::generic_category().message(error);
}

std::string name_of(const line_file& target) {
    return target.is_file() ? "'" + target.path() + "'" : "on stdout";
}

std::string_view without_last_newlines(std::string_view text) noexcept {
    while (text.ends_with('\n')) text.remove_suffix(1);
    return text;
}

}  // namespace

void append_error_line(std::string& line, const spdlog::details::log_msg& message) {
    fmt::format_to(
        std::back_inserter(line),
        "{} [{}] [{}] ",
        local_time(message.time).error_stamp(),
        ::getpid(),
        level_name(message.level)
    );
    const std::string_view text(message.payload.data(), message.payload.size());
    append_text(line, without_last_newlines(text), text_form::message);
    line += '\n';
}

void error_sink::log(const spdlog::details::log_msg& message) {
    thread_local std::string line;
    line.clear();
    append_error_line(line, message);
    if (target_.write_line(line)) report_loss();
}

void error_sink::report_loss() {
    if (!target_.settled()) return;
    const line_file::loss lost = target_.take_loss();
    if (lost.lines == 0) return;
    std::string line;
    const auto note = fmt::format("{} lines of the error log were lost: {}", lost.lines, reason(lost.error));
    append_error_line(line, spdlog::details::log_msg({}, spdlog::level::warn, note));
    target_.write_line(line);
}

void ready_line_sink::log(const spdlog::details::log_msg& message) {
    const bool written = target_.write_line({message.payload.data(), message.payload.size()});
    if (written) return report_loss();
    if (losing_.exchange(true)) return;
    warning("access log {} loses lines: {}", name_of(target_), reason(target_.last_error()));
}

void ready_line_sink::report_loss() {
    if (!losing_.load(std::memory_order_relaxed) || !target_.settled() || !losing_.exchange(false)) return;
    warning("access log {} works again; lost lines: {}", name_of(target_), target_.take_loss().lines);
}

}  // namespace unicoro::log
