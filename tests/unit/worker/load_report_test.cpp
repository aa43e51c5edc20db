// SPDX-License-Identifier: MIT
#include "worker/load_report.hpp"

#include "support/doctest.hpp"

#include <memory>

using namespace unicoro::worker;
using unicoro::scoreboard::counting;
using unicoro::scoreboard::monotonic_now;
using unicoro::scoreboard::worker_slot;

namespace {

constexpr std::int64_t second = 1'000'000'000;

std::string without_cpu(std::string report) {
    const auto begin = report.find("cpu_utilization");
    report.erase(begin, report.find("rps_fractional") - begin);
    return report;
}

}  // namespace

TEST_SUITE_BEGIN("worker: load report");

TEST_CASE("the formats have names, in any case") {
    CHECK(load_report::format_named("text") == load_report::format::text);
    CHECK(load_report::format_named("JSON") == load_report::format::json);
    for (const std::string_view other : {"", "bin", "text ", "texts", "application/json"}) {
        CHECK_FALSE(load_report::format_named(other));
    }
}

TEST_CASE("rates are those of the time since the last report, for all workers") {
    const auto slot = std::make_unique<worker_slot>();
    slot->places = 8;
    slot->running = 2;
    load_report report(*slot, 3);
    const auto begin = monotonic_now();
    slot->requests = 40;
    const counting counts(slot->counts);
    for (int each = 0; each < 10; ++each) counts.request(1, 503);
    counts.request(1, 404);

    // Too soon to be told from chance.
    CHECK(
        without_cpu(report.text(load_report::format::text, begin)) ==
        "TEXT application_utilization=0.2500, rps_fractional=0.00, eps=0.00"
    );
    const std::string later = report.text(load_report::format::json, begin + 2 * second);
    CHECK(later.starts_with("JSON {\"application_utilization\":0.2500,\"cpu_utilization\":0."));
    const auto rate_of = [](const std::string& text, const std::string& name) {
        return std::stod(text.substr(text.find(name) + name.size() + 2));
    };
    CHECK(rate_of(later, "rps_fractional") == doctest::Approx(60).epsilon(0.05));
    CHECK(rate_of(later, "eps") == doctest::Approx(15).epsilon(0.05));

    // More than it has places for: some wait.
    slot->running = 12;
    CHECK(
        without_cpu(report.text(load_report::format::text, begin + 12 * second)) ==
        "TEXT application_utilization=1.5000, rps_fractional=0.00, eps=0.00"
    );
}

TEST_SUITE_END();
