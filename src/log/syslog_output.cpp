// SPDX-License-Identifier: MIT
#include "log/syslog_output.hpp"

#include "log/log.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>
#include <vector>

namespace unicoro::log {
namespace {

using namespace std::chrono;

// So many bytes of a message take all daemons over UDP and TCP (rsyslog's default), or from this machine.
constexpr std::size_t longest_remote = 8000;
constexpr std::size_t longest_local = std::size_t{60} * 1024;
// A daemon that takes one message and refuses the next is no news each time.
constexpr std::int64_t calm_seconds = 5;

std::int64_t now_seconds() noexcept {
    return duration_cast<seconds>(steady_clock::now().time_since_epoch()).count();
}

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return {};
    return name.data();
}

syslog_origin origin(const syslog_options& chosen, const syslog_address& where, const char* log) {
    syslog_origin made;
    made.facility = chosen.facility;
    made.format = chosen.format;
    // A daemon on this machine adds its name itself.
    if (is_remote(where) || chosen.format == syslog_format::rfc5424) made.host = syslog_word(host_name());
    constexpr std::size_t longest_program = 40;
    made.program = syslog_word(chosen.program).substr(0, longest_program) + '.' + log;
    made.log = log;
    return made;
}

/// Cut at a bound, never within a character.
std::string_view cut(std::string_view text, std::size_t longest) noexcept {
    if (text.size() <= longest) return text;
    std::size_t end = longest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    return text.substr(0, end);
}

/// A line of the error log in the server's form.
struct own_line {
    level severity;
    std::string_view text;
};

std::string_view take_bracketed(std::string_view& line) noexcept {
    const std::size_t end = line.find("] ");
    if (!line.starts_with('[') || end == std::string_view::npos) return {};
    const std::string_view inside = line.substr(1, end - 1);
    line.remove_prefix(end + 2);
    return inside;
}

std::optional<level> level_of(std::string_view name) noexcept {
    if (name == "DEBUG") return level::debug;
    if (name == "INFO") return level::info;
    if (name == "WARNING") return level::warning;
    if (name == "ERROR") return level::error;
    if (name == "CRITICAL") return level::critical;
    return std::nullopt;
}

/// Reads "[date] [pid] [LEVEL] text".
std::optional<own_line> read_own_line(std::string_view line) noexcept {
    if (take_bracketed(line).empty() || take_bracketed(line).empty()) return std::nullopt;
    const auto severity = level_of(take_bracketed(line));
    if (!severity) return std::nullopt;
    return own_line{*severity, line};
}

std::vector<std::pair<std::string_view, std::string>> fields_of(const access_record& record) {
    return {
        {"HTTP_CLIENT", std::string(record.remote_address)},
        {"HTTP_METHOD", escaped(record.method)},
        {"HTTP_TARGET", escaped(record.target)},
        {"HTTP_STATUS", std::to_string(record.status)},
        {"HTTP_RESPONSE_BYTES", std::to_string(record.body_bytes)},
        {"HTTP_DURATION_USEC", std::to_string(duration_cast<microseconds>(record.duration).count())},
    };
}

}  // namespace

std::unique_ptr<syslog_output> syslog_output::open(const syslog_options& chosen, std::string& problem) {
    const auto where = parse_syslog_address(chosen.address);
    if (!where) {
        problem = fmt::format("'{}' must be {}", chosen.address, syslog_address_forms);
        return nullptr;
    }
    std::unique_ptr<syslog_output> made(new syslog_output(chosen, *where));
    if (auto failed = made->socket_.resolve()) {
        problem = *std::move(failed);
        return nullptr;
    }
    return made;
}

syslog_output::syslog_output(const syslog_options& chosen, const syslog_address& where)
    : socket_(where),
      address_(chosen.address),
      error_(origin(chosen, where, "error")),
      access_(origin(chosen, where, "access")),
      takes_access_(chosen.access),
      is_journal_(where.is_journal),
      longest_(is_remote(where) ? longest_remote : longest_local) {}

void syslog_output::error(level at, std::string_view text) noexcept {
    while (text.ends_with('\n')) text.remove_suffix(1);
    send(error_, {.severity = at, .text = text});
}

void syslog_output::error_lines(std::string_view lines) noexcept {
    while (!lines.empty()) {
        const auto own = read_own_line(lines);
        // The next line in that form begins the next message.
        std::size_t end = lines.find('\n');
        while (end != std::string_view::npos && end + 1 < lines.size() &&
               !read_own_line(lines.substr(end + 1))) {
            end = lines.find('\n', end + 1);
        }
        const std::size_t size = end == std::string_view::npos ? lines.size() : end + 1;
        if (own) error(own->severity, own->text.substr(0, size - (lines.size() - own->text.size())));
        lines.remove_prefix(size);
    }
}

void syslog_output::access(std::string_view line, const access_record* record) noexcept {
    while (line.ends_with('\n')) line.remove_suffix(1);
    try {
        const auto fields = is_journal_ && record != nullptr
                                ? fields_of(*record)
                                : std::vector<std::pair<std::string_view, std::string>>();
        send(access_, {.severity = level::info, .text = line, .fields = fields});
    } catch (...) {
        lose(ENOMEM);
    }
}

void syslog_output::send(const syslog_origin& from, syslog_entry entry) noexcept {
    const int caller_errno = errno;
    try {
        entry.text = cut(entry.text, longest_);
        entry.when = system_clock::now();
        entry.pid = ::getpid();
        std::string message =
            is_journal_ ? journal_entry(from, entry) : syslog_line(from, entry, socket_.is_stream());
        if (socket_.is_stream()) message += '\n';
        if (socket_.send(message)) {
            report_recovery();
        } else {
            lose(errno);
        }
    } catch (...) {
        lose(ENOMEM);
    }
    errno = caller_errno;
}

void syslog_output::lose(int why) noexcept {
    ++lost_;
    last_loss_ = now_seconds();
    if (losing_.exchange(true)) return;
    try {
        const std::string reason =
            why == EAGAIN ? "it does not keep up" : std::generic_category().message(why);
        warning("syslog at {} loses messages: {}", address_, reason);
    } catch (...) {
        return;
    }
}

void syslog_output::report_recovery() noexcept {
    if (!losing_.load(std::memory_order_relaxed) || now_seconds() - last_loss_ < calm_seconds) return;
    if (!losing_.exchange(false)) return;
    try {
        warning("syslog at {} works again; lost messages: {}", address_, lost_.exchange(0));
    } catch (...) {
        return;
    }
}

}  // namespace unicoro::log
