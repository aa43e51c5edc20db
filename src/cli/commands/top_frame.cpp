// SPDX-License-Identifier: MIT
#include "cli/commands/top_frame.hpp"

#include "cli/commands/text_table.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

namespace unicoro::cli {
namespace {

using worker = server_view::worker;

const worker* same_worker(const top_look* before, const worker& now) {
    if (before == nullptr) return nullptr;
    const auto& all = before->server.workers;
    const auto found = std::ranges::find(all, now.pid, &worker::pid);
    // Another process may have got its number.
    return found == all.end() || found->age > now.age ? nullptr : &*found;
}

double seconds_between(const top_look& before, const top_look& now) {
    return std::max(std::chrono::duration<double>(now.at - before.at).count(), 1e-3);
}

std::optional<double> cpu_share(const top_look* before, const top_look& now, const worker& of) {
    const worker* const then = same_worker(before, of);
    if (then == nullptr || !then->cpu || !of.cpu || *of.cpu < *then->cpu) return std::nullopt;
    return (*of.cpu - *then->cpu) / seconds_between(*before, now);
}

std::string percent(std::optional<double> share) {
    return share ? shown_number(*share * 100) + "%" : "-";
}

double total(const server_view& of, double worker::* field) {
    double sum = 0;
    for (const worker& each : of.workers) sum += each.*field;
    return sum;
}

double memory_of(const server_view& of) {
    double sum = 0;
    for (const worker& each : of.workers) sum += each.memory.value_or(0);
    return sum;
}

std::vector<worker> in_order(const top_look* before, const top_look& now, const std::string& sort) {
    std::vector<worker> all = now.server.workers;
    if (sort == "worker") return all;
    const auto key = [&](const worker& each) {
        if (sort == "cpu") return cpu_share(before, now, each).value_or(-1);
        if (sort == "memory") return each.memory.value_or(-1);
        if (sort == "requests") return each.in_flight;
        return each.silent.value_or(-1);
    };
    std::ranges::stable_sort(all, std::greater(), key);
    return all;
}

std::vector<std::string> workers_in(const top_look* before, const top_look& now, const std::string& sort) {
    text_table table(
        {"PID", "STATE", "AGE", "REQUESTS", "IN FLIGHT", "QUEUED", "CONN", "CPU", "MEMORY", "SILENT"}, {1}
    );
    for (const worker& each : in_order(before, now, sort)) {
        table.add({
            std::to_string(each.pid),
            shown(each.state, 12),
            shown_time(each.age),
            shown_number(each.requests),
            shown_number(each.in_flight),
            shown_number(each.queued),
            shown_number(each.connections),
            percent(cpu_share(before, now, each)),
            each.memory ? shown_bytes(*each.memory) : "-",
            each.silent ? shown_time(*each.silent) : "-",
        });
    }
    return table.lines();
}

std::string heading(const server_view& of) {
    return "unicoro " + shown(of.version, 20) + "  " + std::string(word_of_readiness(of)) + "  " +
           std::to_string(of.serving) + "/" + std::to_string(of.wanted) + " workers  master " +
           std::to_string(of.master) + "  generation " + std::to_string(of.generation) + "  up " +
           shown_time(of.uptime);
}

std::string load_of(const top_look* before, const top_look& now) {
    const top_rates rates = rates_between(before, now);
    return (rates.requests ? shown_number(*rates.requests, 1) : "-") + " requests/s  in flight " +
           shown_number(total(now.server, &worker::in_flight)) + "  queued " +
           shown_number(total(now.server, &worker::queued)) + "  shed " + shown_number(now.server.shed) +
           "  connections " + shown_number(total(now.server, &worker::connections)) + "  CPU " +
           percent(rates.cpu) + "  memory " + shown_bytes(memory_of(now.server));
}

constexpr std::string_view keys =
    "q quit   order: w worker, c CPU, m memory, r requests in flight, s silent   h help on and off";

}  // namespace

top_rates rates_between(const top_look* before, const top_look& now) {
    top_rates found;
    if (before == nullptr) return found;
    const double passed = seconds_between(*before, now);
    if (now.server.requests >= before->server.requests && now.server.master == before->server.master) {
        found.requests = (now.server.requests - before->server.requests) / passed;
    }
    for (const worker& each : now.server.workers) {
        if (const auto share = cpu_share(before, now, each)) found.cpu = found.cpu.value_or(0) + *share;
    }
    return found;
}

std::vector<std::string> top_frame(
    const top_look* before, const top_look& now, const top_manner& how, window_size size
) {
    const std::string when = how.problem.empty() ? "" : "last seen: ";
    std::vector<std::string> lines{when + heading(now.server), load_of(before, now)};
    lines.push_back(how.problem.empty() ? "order: " + how.sort + "   h keys" : shown(how.problem));
    if (how.help) lines.emplace_back(keys);
    lines.emplace_back();
    const std::vector<std::string> workers = workers_in(before, now, how.sort);
    // Requests get a third of the screen at least, where there are as many.
    const std::size_t left = size.rows > lines.size() ? size.rows - lines.size() : 0;
    const std::size_t wanted = now.requests.listed.size() + 2;
    const std::size_t for_workers = std::min(workers.size(), left - std::min({wanted, left / 3, left}));
    lines.insert(lines.end(), workers.begin(), workers.begin() + static_cast<std::ptrdiff_t>(for_workers));
    lines.emplace_back();
    for (std::string& line : lines_of(now.requests, size.rows)) lines.push_back(std::move(line));
    if (lines.size() > size.rows) lines.resize(size.rows);
    for (std::string& line : lines) {
        if (line.size() > size.columns) line.resize(size.columns);
    }
    return lines;
}

std::string top_line(const top_look* before, const top_look& now) {
    std::string line{word_of_readiness(now.server)};
    line += "  " + std::to_string(now.server.serving) + "/" + std::to_string(now.server.wanted) +
            " workers  " + load_of(before, now);
    if (now.requests.listed.empty()) return line;
    const requests_view::request& longest = now.requests.listed.front();
    return line + "  longest " + shown_time(longest.age) + " " + shown(longest.method) + " " +
           shown(longest.path);
}

}  // namespace unicoro::cli
