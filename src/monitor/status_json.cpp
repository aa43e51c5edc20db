// SPDX-License-Identifier: MIT
#include "monitor/status_json.hpp"

#include "log/log.hpp"
#include "monitor/request_json.hpp"
#include "monitor/words.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace unicoro::monitor {
namespace {

using nlohmann::ordered_json;

// Milliseconds are as much as anybody reads.
double rounded(double seconds) {
    return std::round(seconds * 1e3) / 1e3;
}

double between(scoreboard::monotonic_ns from, scoreboard::monotonic_ns to) {
    return rounded(static_cast<double>(to - from) / 1e9);
}

std::string written(const ordered_json& what) {
    return what.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

ordered_json json_of(const worker_view& worker, scoreboard::monotonic_ns now) {
    const scoreboard::slot_facts& facts = worker.counted.facts;
    ordered_json made;
    made["worker"] = worker.counted.slot;
    made["pid"] = facts.pid;
    made["number"] = facts.age;
    made["generation"] = facts.generation;
    made["state"] = word_of(worker.counted.state);
    made["age_seconds"] = between(facts.born, now);
    made["requests"] = worker.counted.requests;
    made["in_flight"] = worker.running;
    made["queued"] = worker.queued;
    made["connections"] = worker.connections;
    made["websockets"] = worker.websockets;
    if (worker.silent) made["silent_seconds"] = rounded(*worker.silent);
    if (worker.cpu) made["cpu_seconds"] = rounded(*worker.cpu);
    if (worker.memory) made["memory_bytes"] = *worker.memory;
    return made;
}

}  // namespace

std::string status_json(const picture& of, std::string_view version, pid_t master, bool ready) {
    const scoreboard::counted& all = of.seen.all;
    ordered_json made;
    made["version"] = version;
    made["master_pid"] = master;
    made["uptime_seconds"] = between(of.seen.started, of.now);
    made["generation"] = of.seen.generation;
    made["ready"] = ready;
    made["stopping"] = of.seen.stopping;
    made["workers_wanted"] = of.seen.wanted;
    made["workers_serving"] = of.serving();
    std::uint64_t requests = 0;
    for (std::size_t row = 0; row < scoreboard::request_rows; ++row) {
        for (std::size_t place = 0; place < scoreboard::status_classes; ++place) {
            requests += all.words[scoreboard::place_of_requests(row, place)];
        }
    }
    made["requests"] = requests;
    made["shed"] = all.words[scoreboard::place_of(scoreboard::counter::shed)];
    made["worker_starts"] = all.happened[static_cast<std::size_t>(happening::worker_started)];
    for (const auto& [what, word] : worker_ends) {
        made["worker_ends"][std::string(word)] = all.happened[static_cast<std::size_t>(what)];
    }
    made["workers"] = ordered_json::array();
    for (const worker_view& each : of.workers) made["workers"].push_back(json_of(each, of.now));
    return written(made);
}

ordered_json request_json(const request_view& of) {
    const std::string_view target = of.request.target;
    ordered_json made;
    made["id"] = of.id();
    made["worker"] = of.slot;
    made["pid"] = of.pid;
    made["age_seconds"] = rounded(of.age);
    made["method"] = log::escaped(of.request.method);
    made["path"] = log::escaped(target.substr(0, std::min(target.find('?'), target.size())));
    made["stage"] = word_of(of.request.stage);
    return made;
}

std::string requests_json(const requests_view& of) {
    ordered_json made;
    made["requests"] = ordered_json::array();
    for (const request_view& each : of.listed) made["requests"].push_back(request_json(each));
    made["unlisted"] = of.unlisted;
    return written(made);
}

}  // namespace unicoro::monitor
