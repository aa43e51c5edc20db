// SPDX-License-Identifier: MIT
#include "cli/commands/stacks_view.hpp"

#include "cli/commands/json_members.hpp"
#include "cli/commands/text_table.hpp"

namespace unicoro::cli {
namespace {

stacks_view::request request_of(const ordered_json& from) {
    stacks_view::request made{
        .pid = whole(from, "pid"),
        .age = number(from, "age_seconds"),
        .method = text(from, "method"),
        .path = text(from, "path"),
        .stage = text(from, "stage"),
        .id = text(from, "id"),
        .runs_in = text(from, "runs_in"),
        .holds_loop = is_true(from, "holds_loop"),
        .why = text(from, "why"),
    };
    const ordered_json* const calls = list(from, "stack");
    for (const ordered_json& each : calls != nullptr ? *calls : ordered_json::array()) {
        made.calls.push_back(
            {text(each, "file"), whole(each, "line"), text(each, "function"), text(each, "code")}
        );
    }
    return made;
}

std::string headline(const stacks_view::request& of) {
    std::string line = shown(of.method) + " " + shown(of.path) + " for " + shown_time(of.age) + " (pid " +
                       std::to_string(of.pid) + ", " + shown(of.stage) + ", " + shown(of.id) + ")";
    if (!of.why.empty()) return line + ": " + shown(of.why);
    if (of.runs_in == "loop") {
        return line + (of.holds_loop ? " is in the worker's loop, which it holds:"
                                     : " is between two pieces of its response");
    }
    line += " is in a " + shown(of.runs_in) + (of.holds_loop ? " and holds the loop" : "");
    return line + (of.calls.empty() ? ", which has not begun" : ":");
}

/// Of workers whose stacks are not all there.
std::string line_of(const std::pair<std::int64_t, std::string>& worker) {
    const std::string who = "Worker " + std::to_string(worker.first);
    if (worker.second == "none") {
        return who + " does not answer: it is stopped, or code that is not Python's keeps its interpreter";
    }
    if (worker.second == "mute") return who + " has no Python code, or does not serve";
    return worker.second == "clipped" ? who + " has more stacks than are shown" : std::string();
}

}  // namespace

attempt<stacks_view> read_stacks(std::string_view json) {
    const ordered_json all = parsed(json);
    const ordered_json* const workers = list(all, "workers");
    const ordered_json* const listed = list(all, "requests");
    if (workers == nullptr || listed == nullptr) return foreign("list of stacks");
    stacks_view made;
    for (const ordered_json& each : *workers) {
        made.workers.emplace_back(whole(each, "pid"), text(each, "answer"));
    }
    for (const ordered_json& each : *listed) made.listed.push_back(request_of(each));
    made.unlisted = whole(all, "unlisted");
    return made;
}

std::vector<std::string> lines_of(const stacks_view& of) {
    std::vector<std::string> made;
    for (const auto& each : of.workers) {
        if (std::string line = line_of(each); !line.empty()) made.push_back(std::move(line));
    }
    if (of.listed.empty()) made.emplace_back("No request is in flight.");
    for (const stacks_view::request& each : of.listed) {
        if (!made.empty()) made.emplace_back();
        made.push_back(headline(each));
        for (const stacks_view::call& call : each.calls) {
            made.push_back(
                "  File \"" + shown(call.file) + "\", line " + std::to_string(call.line) + ", in " +
                shown(call.function)
            );
            if (!call.code.empty()) made.push_back("    " + shown(call.code));
        }
    }
    if (of.unlisted > 0) made.push_back("and " + std::to_string(of.unlisted) + " more that are not listed");
    return made;
}

}  // namespace unicoro::cli
