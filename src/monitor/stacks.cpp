// SPDX-License-Identifier: MIT
#include "monitor/stacks.hpp"

#include "base/text.hpp"

#include <unicoro/sleep.hpp>

#include <algorithm>
#include <array>

namespace unicoro::monitor {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds between_questions{250};

// The first look finds the answers of those that are not busy.
constexpr milliseconds first_pause{2};
constexpr milliseconds pause{10};

std::string_view taken(std::string_view& from, char until) {
    const std::size_t end = std::min(from.find(until), from.size());
    const std::string_view part = from.substr(0, end);
    from.remove_prefix(std::min(end + 1, from.size()));
    return part;
}

struct waited_for {
    scoreboard::counted_worker worker;
    worker_stacks* into;
};

}  // namespace

void read_stacks(std::string_view answer, worker_stacks& into) {
    stack_view* current = nullptr;
    while (!answer.empty()) {
        std::string_view line = taken(answer, '\n');
        if (line == "M") {
            into.how = worker_stacks::answer::clipped;
            continue;
        }
        std::array<std::string_view, 4> parts;
        const bool heads = line.starts_with("R\t");
        if (heads) line.remove_prefix(2);
        for (std::string_view& each : parts) each = taken(line, '\t');
        if (heads) {
            const auto entry = base::parse_integer<std::uint32_t>(parts[0]);
            const auto started = base::parse_integer<scoreboard::monotonic_ns>(parts[1]);
            current = entry && started ? &into.stacks[{*entry, *started}] : nullptr;
            if (current != nullptr) *current = {std::string(parts[2]), parts[3] == "1", {}};
        } else if (current != nullptr) {
            current->calls.push_back(
                {std::string(parts[0]), std::string(parts[1]), std::string(parts[2]), std::string(parts[3])}
            );
        }
    }
}

awaitable<void> stack_asker::put_question() {
    const scoreboard::monotonic_ns came = scoreboard::monotonic_now();
    for (;;) {
        const nanoseconds wait =
            nanoseconds(asked_) + between_questions - nanoseconds(scoreboard::monotonic_now());
        if (wait.count() <= 0) break;
        co_await sleep_for(wait);
        // Somebody else has asked since.
        if (asked_ >= came) co_return;
    }
    asked_ = scoreboard::monotonic_now();
    question_ = eyes_.ask_for_stacks();
}

awaitable<std::vector<worker_stacks>> stack_asker::ask(std::optional<pid_t> only) {
    const std::vector<scoreboard::counted_worker> all = eyes_.glance().seen.workers;
    std::vector<worker_stacks> found;
    found.reserve(all.size());
    std::vector<waited_for> silent;
    for (const scoreboard::counted_worker& each : all) {
        if (only && each.facts.pid != *only) continue;
        const auto how = eyes_.answers(each) ? worker_stacks::answer::none : worker_stacks::answer::mute;
        found.push_back({each.slot, each.facts.pid, each.facts.age, how, {}});
        if (how == worker_stacks::answer::none) silent.push_back({each, &found.back()});
    }
    if (silent.empty()) co_return found;
    co_await put_question();
    const std::uint32_t question = question_;
    const nanoseconds end = nanoseconds(asked_) + patience;
    for (milliseconds next = first_pause; !silent.empty(); next = pause) {
        co_await sleep_for(next);
        const bool last = nanoseconds(scoreboard::monotonic_now()) >= end;
        for (std::size_t at = silent.size(); at-- > 0;) {
            waited_for& each = silent[at];
            const std::optional<std::string> answer = eyes_.stacks_of(each.worker, question);
            if (answer) {
                each.into->how = worker_stacks::answer::whole;
                read_stacks(*answer, *each.into);
            } else if (!eyes_.answers(each.worker)) {
                each.into->how = worker_stacks::answer::mute;
            } else {
                continue;
            }
            silent.erase(silent.begin() + static_cast<std::ptrdiff_t>(at));
            // Others are to be answered, too, however much that was.
            co_await sleep_for(milliseconds(0));
        }
        if (last) break;
    }
    co_return found;
}

}  // namespace unicoro::monitor
