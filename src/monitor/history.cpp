// SPDX-License-Identifier: MIT
#include "monitor/history.hpp"

#include "monitor/words.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace unicoro::monitor {
namespace {

using scoreboard::counter;
using scoreboard::happening_counts;
using scoreboard::monotonic_ns;
using scoreboard::timing;

constexpr std::size_t place_of(happening what) noexcept {
    return static_cast<std::size_t>(what);
}

constexpr std::array other_incidents{
    happening::reload_completed,
    happening::reload_refused,
    happening::reload_failed,
    happening::upgrade_completed,
    happening::upgrade_refused,
    happening::monitor_ended,
};

histogram histogram_of(const scoreboard::counted& all, timing what) {
    histogram made{};
    for (std::size_t each = 0; each < made.size(); ++each) {
        made[each] = all.words[scoreboard::place_of_bucket(what, each)];
    }
    return made;
}

template <class T>
void keep_at_most(std::size_t most, std::deque<T>& of) {
    while (of.size() > most) of.pop_front();
}

// Of one worker only ever one request begins in a nanosecond.
auto key_of(const request_view& of) {
    return std::pair(of.pid, of.request.started);
}

}  // namespace

void history::note(const incident& what) {
    incidents_.push_back(what);
    keep_at_most(most_incidents, incidents_);
}

void history::look(const scoreboard::sight& seen, monotonic_ns now) {
    const happening_counts& count = seen.all.happened;
    look_for_gone(seen.workers, now);
    happening_counts more{};
    for (std::size_t each = 0; each < more.size(); ++each) {
        const std::uint64_t before = std::min(happened_[each], count[each]);
        more[each] = std::min<std::uint64_t>(count[each] - before, most_incidents);
    }
    note_ends(more, now);
    for (const happening what : other_incidents) {
        for (std::uint64_t each = more[place_of(what)]; each > 0; --each) note({now, what, std::nullopt});
    }
    happened_ = count;
    // The master takes a worker from the tally a moment before it counts the end.
    std::erase_if(gone_, [this](const gone_worker& each) { return each.missed < last_look_; });
    last_look_ = now;
}

void history::look_for_gone(const std::vector<scoreboard::counted_worker>& workers, monotonic_ns now) {
    for (const scoreboard::counted_worker& before : workers_) {
        const auto is_it = [&before](const scoreboard::counted_worker& each) {
            return each.slot == before.slot && each.facts.pid == before.facts.pid;
        };
        if (std::ranges::none_of(workers, is_it)) gone_.push_back({before.slot, before.facts, now});
    }
    workers_ = workers;
}

// The counts say how many have ended and why, not which: that is plain when one reason was all there was.
void history::note_ends(const happening_counts& more, monotonic_ns now) {
    std::uint64_t ends = 0;
    std::size_t reasons = 0;
    for (const auto& [what, word] : worker_ends) {
        ends += more[place_of(what)];
        if (more[place_of(what)] > 0) ++reasons;
    }
    if (ends == 0) return;
    const bool plain = reasons == 1 && ends == gone_.size();
    std::size_t next = 0;
    for (const auto& [what, word] : worker_ends) {
        for (std::uint64_t each = more[place_of(what)]; each > 0; --each) {
            note({now, what, plain ? std::optional(gone_[next++]) : std::nullopt});
        }
    }
    gone_.clear();
}

void history::look_at_requests(const requests_view& running, monotonic_ns now) {
    constexpr double long_since = std::chrono::duration<double>(slow).count();
    std::set<std::pair<pid_t, monotonic_ns>> still;
    std::vector<request_view> slow_now;
    for (const request_view& each : running.listed) {
        if (each.age < long_since) break;
        still.insert(key_of(each));
        const bool counts = each.request.stage != scoreboard::request_stage::websocket;
        if (counts && slow_now.size() < most_watched) slow_now.push_back(each);
    }
    for (request_view& each : watched_) {
        if (!still.contains(key_of(each))) slow_.push_back({now, std::move(each)});
    }
    keep_at_most(most_slow_requests, slow_);
    watched_ = std::move(slow_now);
}

void history::take(const picture& of) {
    const scoreboard::counted& all = of.seen.all;
    const auto word = [&all](counter what) { return all.words[scoreboard::place_of(what)]; };
    sample made;
    made.when = of.now;
    for (std::size_t row = 0; row < scoreboard::request_rows; ++row) {
        for (std::size_t place = 0; place < scoreboard::status_classes; ++place) {
            made.requests[place] += all.words[scoreboard::place_of_requests(row, place)];
        }
    }
    made.duration = histogram_of(all, timing::duration);
    made.queue = histogram_of(all, timing::queue);
    made.loop_lag = histogram_of(all, timing::loop_lag);
    made.shed = word(counter::shed);
    made.bytes_received = word(counter::bytes_received);
    made.bytes_sent = word(counter::bytes_sent);
    made.cpu = of.cpu;
    made.serving = of.serving();
    for (const worker_view& each : of.workers) {
        made.memory += each.memory.value_or(0);
        made.running += each.running;
        made.queued += each.queued;
        made.connections += each.connections;
        made.websockets += each.websockets;
        made.silent = std::max(made.silent, each.silent.value_or(0));
    }
    samples_.push_back(made);
    keep_at_most(most_samples, samples_);
}

}  // namespace unicoro::monitor
