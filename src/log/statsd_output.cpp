// SPDX-License-Identifier: MIT
#include "log/statsd_output.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

namespace unicoro::log {
namespace {

constexpr std::uint16_t usual_port = 8125;
constexpr std::string_view unix_prefix = "unix://";

std::string with_point(const std::string& prefix) {
    return prefix.empty() || prefix.ends_with('.') ? prefix : prefix + '.';
}

}  // namespace

std::optional<message_address> parse_statsd_address(std::string_view written) {
    const std::string_view text = base::trim(written);
    message_address found;
    found.port = usual_port;
    if (text.starts_with(unix_prefix)) {
        found.by = message_address::way::unix_datagram;
        if (read_path(text.substr(unix_prefix.size()), found)) return found;
    } else if (text.find('/') == std::string_view::npos && read_host(text, found)) {
        return found;
    }
    return std::nullopt;
}

std::unique_ptr<statsd_output> statsd_output::open(const statsd_options& chosen, std::string& problem) {
    auto where = parse_statsd_address(chosen.host);
    if (!where) {
        problem = fmt::format("'{}' must be {}", chosen.host, statsd_address_forms);
        return nullptr;
    }
    std::unique_ptr<statsd_output> made(new statsd_output(chosen, *std::move(where)));
    if (auto failed = made->socket_.resolve()) {
        problem = *std::move(failed);
        return nullptr;
    }
    return made;
}

statsd_output::statsd_output(const statsd_options& chosen, message_address where)
    : socket_(std::move(where), unsent::is_lost),
      prefix_(with_point(chosen.prefix)),
      suffix_(chosen.tags.empty() ? "" : "|#" + chosen.tags) {}

void statsd_output::request(int status, std::chrono::nanoseconds duration) noexcept {
    const double milliseconds = std::chrono::duration<double, std::milli>(duration).count();
    try {
        // One datagram of several lines, which every daemon takes.
        send(fmt::format(
            "{0}gunicorn.requests:1|c{1}\n{0}gunicorn.request.duration:{2:.3f}|ms{1}\n"
            "{0}gunicorn.request.status.{3}:1|c{1}",
            prefix_,
            suffix_,
            milliseconds,
            status
        ));
    } catch (...) {
        return;
    }
}

void statsd_output::logged(level at) noexcept {
    const char* name = nullptr;
    switch (at) {
        case level::debug:
        case level::info: return;
        case level::warning: name = "warning"; break;
        case level::error: name = "error"; break;
        case level::critical: name = "critical"; break;
    }
    try {
        send(fmt::format("{}gunicorn.log.{}:1|c{}", prefix_, name, suffix_));
    } catch (...) {
        return;
    }
}

void statsd_output::gauge(std::string_view name, std::int64_t value) noexcept {
    try {
        send(fmt::format("{}{}:{}|g{}", prefix_, name, value, suffix_));
    } catch (...) {
        return;
    }
}

void statsd_output::send(std::string_view metrics) noexcept {
    const int caller_errno = errno;
    socket_.send(metrics);
    errno = caller_errno;
}

}  // namespace unicoro::log
