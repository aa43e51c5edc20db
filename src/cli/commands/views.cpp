// SPDX-License-Identifier: MIT
#include "cli/commands/views.hpp"

#include "cli/commands/json_members.hpp"
#include "cli/commands/text_table.hpp"

namespace unicoro::cli {
namespace {

server_view::worker worker_of(const ordered_json& from) {
    return {
        .pid = whole(from, "pid"),
        .state = text(from, "state"),
        .age = number(from, "age_seconds"),
        .requests = number(from, "requests"),
        .in_flight = number(from, "in_flight"),
        .queued = number(from, "queued"),
        .connections = number(from, "connections"),
        .websockets = number(from, "websockets"),
        .silent = measured(from, "silent_seconds"),
        .cpu = measured(from, "cpu_seconds"),
        .memory = measured(from, "memory_bytes"),
    };
}

std::string ends_of(const server_view& of) {
    std::string made;
    for (const auto& [reason, count] : of.ends) {
        made += (made.empty() ? "; workers ended: " : ", ") + shown(reason) + " " + std::to_string(count);
    }
    return made;
}

}  // namespace

attempt<server_view> read_status(std::string_view json) {
    const ordered_json all = parsed(json);
    const ordered_json* const workers = member(all, "workers");
    const ordered_json* const ready = member(all, "ready");
    if (workers == nullptr || !workers->is_array() || ready == nullptr) return foreign("status");
    server_view made{
        .version = text(all, "version"),
        .master = whole(all, "master_pid"),
        .generation = whole(all, "generation"),
        .uptime = number(all, "uptime_seconds"),
        .ready = is_true(all, "ready"),
        .stopping = is_true(all, "stopping"),
        .wanted = whole(all, "workers_wanted"),
        .serving = whole(all, "workers_serving"),
        .requests = number(all, "requests"),
        .shed = number(all, "shed"),
    };
    if (const ordered_json* const ends = member(all, "worker_ends"); ends != nullptr && ends->is_object()) {
        for (const auto& [reason, count] : ends->items()) {
            if (const auto seen = whole(*ends, reason.c_str()); seen > 0)
                made.ends.emplace_back(reason, seen);
        }
    }
    for (const ordered_json& each : *workers) made.workers.push_back(worker_of(each));
    return made;
}

attempt<requests_view> read_requests(std::string_view json) {
    const ordered_json all = parsed(json);
    const ordered_json* const listed = member(all, "requests");
    if (listed == nullptr || !listed->is_array()) return foreign("list of requests");
    requests_view made;
    made.unlisted = whole(all, "unlisted");
    for (const ordered_json& each : *listed) {
        made.listed.push_back(
            {.pid = whole(each, "pid"),
             .age = number(each, "age_seconds"),
             .method = text(each, "method"),
             .path = text(each, "path"),
             .stage = text(each, "stage"),
             .id = text(each, "id")}
        );
    }
    return made;
}

attempt<std::string> plain_json(std::string_view json) {
    const ordered_json all = parsed(json);
    if (all.is_discarded()) return trouble{exit_not_reached, "what was answered is no JSON"};
    return all.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

std::string_view word_of_readiness(const server_view& of) noexcept {
    if (of.stopping) return "stopping";
    return of.ready ? "ready" : "not ready";
}

std::vector<std::string> lines_of(const server_view& of) {
    std::vector<std::string> made;
    made.push_back(
        "unicoro " + shown(of.version) + ": " + std::string(word_of_readiness(of)) + ", " +
        std::to_string(of.serving) + " of " + std::to_string(of.wanted) + " workers serve (master " +
        std::to_string(of.master) + ", generation " + std::to_string(of.generation) + ", up " +
        shown_time(of.uptime) + ")"
    );
    made.push_back(shown_number(of.requests) + " requests, " + shown_number(of.shed) + " shed" + ends_of(of));
    if (of.workers.empty()) return made;
    made.emplace_back();
    text_table table(
        {"PID",
         "STATE",
         "AGE",
         "REQUESTS",
         "IN FLIGHT",
         "QUEUED",
         "CONNECTIONS",
         "CPU TIME",
         "MEMORY",
         "SILENT"},
        {1}
    );
    for (const server_view::worker& each : of.workers) {
        table.add({
            std::to_string(each.pid),
            shown(each.state),
            shown_time(each.age),
            shown_number(each.requests),
            shown_number(each.in_flight),
            shown_number(each.queued),
            shown_number(each.connections),
            each.cpu ? shown_time(*each.cpu) : "-",
            each.memory ? shown_bytes(*each.memory) : "-",
            each.silent ? shown_time(*each.silent) : "-",
        });
    }
    for (std::string& line : table.lines()) made.push_back(std::move(line));
    return made;
}

std::vector<std::string> lines_of(const requests_view& of, std::optional<std::size_t> most) {
    if (of.listed.empty() && of.unlisted == 0) return {"No request is in flight."};
    // Where there is little room nobody names one.
    const bool with_id = !most;
    std::vector<std::string> head{"AGE", "PID", "STAGE", "REQUEST"};
    if (with_id) head.insert(head.begin() + 3, "ID");
    text_table table(std::move(head), {2, 3, 4});
    for (const requests_view::request& each : of.listed) {
        if (most && (*most)-- == 0) break;
        std::vector<std::string> row{
            shown_time(each.age),
            std::to_string(each.pid),
            shown(each.stage),
            shown(each.method) + " " + shown(each.path)
        };
        if (with_id) row.insert(row.begin() + 3, shown(each.id));
        table.add(std::move(row));
    }
    std::vector<std::string> made = table.lines();
    if (of.unlisted > 0) made.push_back("and " + std::to_string(of.unlisted) + " more that are not listed");
    return made;
}

}  // namespace unicoro::cli
