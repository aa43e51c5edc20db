// SPDX-License-Identifier: MIT
#include "monitor/stacks_text.hpp"

#include "base/text.hpp"
#include "log/log.hpp"
#include "monitor/request_json.hpp"
#include "monitor/words.hpp"

#include <unicoro/sleep.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace unicoro::monitor {
namespace {

using nlohmann::ordered_json;
using answer = worker_stacks::answer;

// Takes about a millisecond.
constexpr std::size_t requests_at_once = 20;

std::string_view word_of(answer how) noexcept {
    switch (how) {
        case answer::whole: return "whole";
        case answer::clipped: return "clipped";
        case answer::none: return "none";
        case answer::mute: return "mute";
    }
    return "unknown";
}

std::string_view meaning_of(answer how) noexcept {
    switch (how) {
        case answer::whole: return "it is not in the application's code";
        case answer::clipped: return "there are more stacks than this worker has room to tell of";
        case answer::none:
            return "the worker does not answer: it is stopped, or code that is not Python's keeps its "
                   "interpreter";
        case answer::mute: return "the worker has no Python code, or does not serve";
    }
    return "";
}

/// A request with what its worker says of it.
struct told_request {
    const request_view& request;
    const stack_view* stack = nullptr;
    std::string_view why_none = "its worker has ended";

    told_request(const request_view& of, const stacks_told& all) : request(of) {
        const auto worker = std::ranges::find(all.workers, of.number, &worker_stacks::number);
        if (worker == all.workers.end()) return;
        const auto found = worker->stacks.find({of.request.entry, of.request.started});
        if (found != worker->stacks.end()) stack = &found->second;
        const bool answered = worker->how == answer::whole || worker->how == answer::clipped;
        why_none = answered && of.request.started >= all.asked ? "it has begun since they were asked for"
                                                               : meaning_of(worker->how);
    }
};

std::string dumped(const ordered_json& what) {
    return what.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

std::string json_of(const told_request& one) {
    ordered_json made = request_json(one.request);
    if (one.stack == nullptr) {
        made["stack"] = nullptr;
        made["why"] = one.why_none;
        return dumped(made);
    }
    made["runs_in"] = one.stack->kind;
    made["holds_loop"] = one.stack->running;
    made["stack"] = ordered_json::array();
    for (const stack_view::call& each : one.stack->calls) {
        ordered_json call;
        call["file"] = each.file;
        call["line"] = base::parse_integer<std::int64_t>(each.line).value_or(0);
        call["function"] = each.function;
        call["code"] = each.code;
        made["stack"].push_back(std::move(call));
    }
    return dumped(made);
}

std::string json_of(const worker_stacks& one) {
    ordered_json made;
    made["worker"] = one.slot;
    made["pid"] = one.pid;
    made["number"] = one.number;
    made["answer"] = word_of(one.how);
    return dumped(made);
}

std::string where(const stack_view& stack) {
    if (stack.kind != "loop") {
        const std::string_view held = stack.running ? ", which holds the loop" : "";
        return fmt::format(", in a {}{}:\n", log::escaped(stack.kind), held);
    }
    return stack.running ? ", in the worker's loop, which it holds:\n"
                         : ", between two pieces of its response\n";
}

std::string text_of(const told_request& one) {
    const std::string_view target = one.request.request.target;
    std::string made = fmt::format(
        "{} {} for {:.1f} s, pid {}, {}, request {}",
        log::escaped(one.request.request.method),
        log::escaped(target.substr(0, std::min(target.find('?'), target.size()))),
        one.request.age,
        one.request.pid,
        monitor::word_of(one.request.request.stage),
        one.request.id()
    );
    if (one.stack == nullptr) return made + fmt::format(": {}\n\n", one.why_none);
    made += where(*one.stack);
    for (const stack_view::call& each : one.stack->calls) {
        made += fmt::format(
            "  File \"{}\", line {}, in {}\n    {}\n",
            log::escaped(each.file),
            log::escaped(each.line),
            log::escaped(each.function),
            log::escaped(each.code)
        );
    }
    return made + "\n";
}

std::string head_of(const stacks_told& of, stacks_format how) {
    std::string made;
    if (how == stacks_format::json) {
        for (const worker_stacks& each : of.workers)
            made += (made.empty() ? "\n    " : ",\n    ") + json_of(each);
        return "{\n  \"workers\": [" + made + "],\n  \"requests\": [";
    }
    for (const worker_stacks& each : of.workers) {
        if (each.how == answer::whole) continue;
        made += fmt::format("Worker with pid {}: {}\n", each.pid, meaning_of(each.how));
    }
    return made.empty() ? made : made + "\n";
}

std::string end_of(const stacks_told& of, stacks_format how) {
    const std::size_t unlisted = of.requests.unlisted;
    if (how == stacks_format::json) return fmt::format("],\n  \"unlisted\": {}\n}}\n", unlisted);
    if (of.requests.listed.empty()) return "No request is in flight.\n";
    return unlisted > 0 ? fmt::format("And {} more that are not listed\n", unlisted) : std::string();
}

}  // namespace

awaitable<std::string> written(const stacks_told& of, stacks_format how) {
    std::string made = head_of(of, how);
    std::size_t count = 0;
    for (const request_view& each : of.requests.listed) {
        const told_request one(each, of);
        if (how == stacks_format::json) {
            made += (count == 0 ? "\n    " : ",\n    ") + json_of(one);
        } else {
            made += text_of(one);
        }
        if (++count % requests_at_once == 0) co_await sleep_for(std::chrono::nanoseconds(0));
    }
    made += end_of(of, how);
    co_return made;
}

}  // namespace unicoro::monitor
