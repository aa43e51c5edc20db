// SPDX-License-Identifier: MIT
#include "monitor/history_json.hpp"

#include "monitor/query.hpp"
#include "monitor/request_json.hpp"
#include "monitor/words.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <utility>

namespace unicoro::monitor {
namespace {

using nlohmann::ordered_json;
using scoreboard::monotonic_ns;

constexpr double last_minute = 60;
constexpr std::array<std::pair<std::string_view, double>, 3> shares{
    {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}}
};

// Kinds of incidents but ends of workers, and what became of each.
constexpr std::array<std::pair<happening, std::pair<std::string_view, std::string_view>>, 6> others{{
    {happening::reload_completed, {"reload", "completed"}},
    {happening::reload_refused, {"reload", "refused"}},
    {happening::reload_failed, {"reload", "failed"}},
    {happening::upgrade_completed, {"upgrade", "completed"}},
    {happening::upgrade_refused, {"upgrade", "refused"}},
    {happening::monitor_ended, {"monitor_end", "replaced"}},
}};

double seconds_of(monotonic_ns of) {
    return static_cast<double>(of) / 1e9;
}

// A tenth of a millisecond, a ten-thousandth of a CPU or of a request in a second is as much as anybody
// reads.
double short_of(double value) {
    return std::round(value * 1e4) / 1e4;
}

// Times name points: what is told must not be later than what is meant, nor come twice.
double time_of(monotonic_ns of) {
    const monotonic_ns milliseconds = of / 1'000'000;
    return static_cast<double>(milliseconds) / 1e3;
}

void add_quantiles(ordered_json& to, const histogram& of) {
    for (const auto& [name, share] : shares) {
        const std::optional<double> found = quantile(of, share);
        to[std::string(name)].push_back(found ? ordered_json(short_of(*found)) : ordered_json());
    }
}

/// Columns of points, each of which lies between two samples.
class points {
  public:
    points() {
        for (const char* each :
             {"time",
              "seconds",
              "workers_serving",
              "in_flight",
              "queued",
              "connections",
              "websockets",
              "memory_bytes",
              "silent_seconds",
              "cpus",
              "shed_per_second",
              "received_bytes_per_second",
              "sent_bytes_per_second"}) {
            columns_[each] = ordered_json::array();
        }
        for (const std::string_view each : status_words) {
            columns_["requests_per_second"][std::string(each)] = ordered_json::array();
        }
        for (const char* each : {"duration_seconds", "queue_seconds", "loop_lag_seconds"}) {
            for (const auto& [name, share] : shares)
                columns_[each][std::string(name)] = ordered_json::array();
        }
    }

    void add(const sample& before, const sample& now) {
        const double took = seconds_of(now.when - before.when);
        const auto rate = [took](auto later, auto earlier) {
            return took > 0 ? short_of(static_cast<double>(later - std::min(earlier, later)) / took) : 0;
        };
        columns_["time"].push_back(time_of(now.when));
        columns_["seconds"].push_back(short_of(took));
        columns_["workers_serving"].push_back(now.serving);
        columns_["in_flight"].push_back(now.running);
        columns_["queued"].push_back(now.queued);
        columns_["connections"].push_back(now.connections);
        columns_["websockets"].push_back(now.websockets);
        columns_["memory_bytes"].push_back(now.memory);
        columns_["silent_seconds"].push_back(short_of(now.silent));
        columns_["cpus"].push_back(rate(now.cpu, before.cpu));
        columns_["shed_per_second"].push_back(rate(now.shed, before.shed));
        columns_["received_bytes_per_second"].push_back(rate(now.bytes_received, before.bytes_received));
        columns_["sent_bytes_per_second"].push_back(rate(now.bytes_sent, before.bytes_sent));
        ordered_json& requests = columns_["requests_per_second"];
        for (std::size_t place = 0; place < status_words.size(); ++place) {
            requests[std::string(status_words[place])].push_back(
                rate(now.requests[place], before.requests[place])
            );
        }
        add_quantiles(columns_["duration_seconds"], difference(now.duration, before.duration));
        add_quantiles(columns_["queue_seconds"], difference(now.queue, before.queue));
        add_quantiles(columns_["loop_lag_seconds"], difference(now.loop_lag, before.loop_lag));
    }

    [[nodiscard]] ordered_json take() { return std::move(columns_); }

  private:
    ordered_json columns_;
};

ordered_json summary(const std::deque<sample>& samples) {
    ordered_json made;
    if (samples.size() < 2) return made;
    const sample& now = samples.back();
    const auto is_late = [&now](const sample& each) {
        return seconds_of(now.when - each.when) <= last_minute;
    };
    auto first = std::ranges::find_if(samples, is_late);
    if (first == std::prev(samples.end())) --first;
    const double took = seconds_of(now.when - first->when);
    std::uint64_t requests = 0;
    for (std::size_t place = 0; place < status_words.size(); ++place) {
        requests += now.requests[place] - std::min(first->requests[place], now.requests[place]);
    }
    const std::uint64_t failed = now.requests.back() - std::min(first->requests.back(), now.requests.back());
    const histogram durations = difference(now.duration, first->duration);
    made["seconds"] = short_of(took);
    made["requests"] = requests;
    made["requests_5xx"] = failed;
    for (const auto& [name, share] : shares) {
        const std::optional<double> found = quantile(durations, share);
        made["duration_seconds"][std::string(name)] = found ? ordered_json(short_of(*found)) : ordered_json();
    }
    return made;
}

ordered_json json_of(const incident& of) {
    ordered_json made;
    made["time"] = time_of(of.when);
    for (const auto& [what, word] : worker_ends) {
        if (what == of.what) made["kind"] = "worker_end", made["reason"] = word;
    }
    for (const auto& [what, words] : others) {
        if (what == of.what) made["kind"] = words.first, made["outcome"] = words.second;
    }
    if (of.worker) {
        made["worker"] = of.worker->slot;
        made["pid"] = of.worker->facts.pid;
        made["number"] = of.worker->facts.age;
        made["lived_seconds"] = short_of(seconds_of(of.when - of.worker->facts.born));
    }
    return made;
}

ordered_json json_of(const slow_request& of) {
    ordered_json made = request_json(of.last);
    made["time"] = time_of(of.when);
    return made;
}

template <class T>
ordered_json later_than(double since, const std::deque<T>& all) {
    ordered_json made = ordered_json::array();
    for (const T& each : all) {
        if (time_of(each.when) > since) made.push_back(json_of(each));
    }
    return made;
}

}  // namespace

std::string history_json(const history& of, monotonic_ns now, double since) {
    points found;
    const std::deque<sample>& samples = of.samples();
    for (std::size_t each = 1; each < samples.size(); ++each) {
        if (time_of(samples[each].when) > since) found.add(samples[each - 1], samples[each]);
    }
    ordered_json made;
    made["now"] = time_of(now);
    made["interval_seconds"] = history::interval.count();
    made["kept_seconds"] = history::kept.count();
    made["last_minute"] = summary(samples);
    made["points"] = found.take();
    made["incidents"] = later_than(since, of.incidents());
    made["slow_requests"] = later_than(since, of.slow_requests());
    return made.dump(-1, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

std::optional<double> read_since(std::string_view query) noexcept {
    const std::optional<std::string_view> since = parameter(query, "since");
    if (!since) return 0;
    double value = 0;
    const std::string_view text = *since;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (!whole || !std::isfinite(value)) return std::nullopt;
    return value;
}

}  // namespace unicoro::monitor
