// SPDX-License-Identifier: MIT
#include "worker/load_report.hpp"

#include "http/request_head.hpp"
#include "os/cpu_time.hpp"
#include "settings/cpu_count.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace unicoro::worker {
namespace {

// Rates are of as long a time at least: who asks more often gets the same again.
constexpr scoreboard::monotonic_ns shortest_look = 1'000'000'000;

constexpr std::size_t server_errors = 4;  // of the classes of status

}  // namespace

std::optional<load_report::format> load_report::format_named(std::string_view name) noexcept {
    if (http::iequals(name, "text")) return format::text;
    if (http::iequals(name, "json")) return format::json;
    return std::nullopt;
}

load_report::load_report(const scoreboard::worker_slot& slot, int workers)
    : slot_(slot),
      workers_(std::max(workers, 1)),
      cpus_(settings::usable_cpu_count()),
      last_(look(scoreboard::monotonic_now())) {}

load_report::sample load_report::look(scoreboard::monotonic_ns now) const noexcept {
    sample seen{now, os::process_cpu_time(), slot_.requests.load(std::memory_order_relaxed), 0};
    for (std::size_t row = 0; row < scoreboard::request_rows; ++row) {
        const std::size_t place = scoreboard::place_of_requests(row, server_errors);
        seen.failures += slot_.counts[place].load(std::memory_order_relaxed);
    }
    return seen;
}

void load_report::measure(scoreboard::monotonic_ns now) noexcept {
    if (now - last_.when < shortest_look) return;
    const sample seen = look(now);
    const double seconds = static_cast<double>(now - last_.when) / 1e9;
    const auto rate = [&](double grown) { return grown * workers_ / seconds; };
    cpu_ = std::min(rate(std::chrono::duration<double>(seen.cpu - last_.cpu).count()) / cpus_, 1.0);
    requests_ = rate(static_cast<double>(seen.requests - last_.requests));
    failures_ = rate(static_cast<double>(seen.failures - last_.failures));
    last_ = seen;
}

std::string load_report::text(format wanted, scoreboard::monotonic_ns now) {
    measure(now);
    const double places = std::max(slot_.places.load(std::memory_order_relaxed), 1U);
    const double busy = slot_.running.load(std::memory_order_relaxed) / places;
    const auto filled = [&](fmt::format_string<double&, double&, double&, double&> form) {
        double application = busy;
        return fmt::format(form, application, cpu_, requests_, failures_);
    };
    if (wanted == format::text) {
        return filled(
            "TEXT application_utilization={:.4f}, cpu_utilization={:.4f}, rps_fractional={:.2f}, eps={:.2f}"
        );
    }
    return filled(
        "JSON {{\"application_utilization\":{:.4f},\"cpu_utilization\":{:.4f},\"rps_fractional\":{:.2f},"
        "\"eps\":{:.2f}}}"
    );
}

}  // namespace unicoro::worker
