// SPDX-License-Identifier: MIT
#include "worker/slow_log.hpp"

#include "log/log.hpp"
#include "os/signals.hpp"
#include "worker/request_run.hpp"

#include <boost/asio/post.hpp>

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace unicoro::worker {
namespace {

using nanoseconds = std::chrono::nanoseconds;

// How long the loop has before it counts as held.
constexpr std::chrono::milliseconds loop_may_take{100};

// Where many are slow at once, the stacks of some will do: making one takes the loop's time.
constexpr int stacks_at_once = 20;
constexpr std::int64_t between_stacks = 1'000'000'000;

std::int64_t read(clockid_t clock) noexcept {
    timespec now{};
    clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

double seconds(nanoseconds time) {
    return std::chrono::duration<double>(time).count();
}

/// One that is due: what the loop, or who keeps the time, has found out.
struct slow_one {
    slow_log::facts what;
    nanoseconds cpu_of_loop;
    bool with_stack;
    std::int64_t seen_at;
    std::shared_ptr<const app::running_request> elsewhere = nullptr;  ///< its code has a thread for itself
    std::optional<nanoseconds> cpu_of_thread = std::nullopt;

    /// What its own thread has used. To know that may take a wait for the interpreter, so that the time it
    /// ran becomes the one of that moment, too.
    void ask_thread() {
        cpu_of_thread = elsewhere->cpu_time();
        if (cpu_of_thread && what.ran) *what.ran += nanoseconds(scoreboard::monotonic_now() - seen_at);
    }

    [[nodiscard]] std::string text() const {
        std::string told = fmt::format("{} {} ", log::escaped(what.method), log::escaped(what.path));
        if (what.ran) {
            told += fmt::format("ran for {:.2f} s", seconds(*what.ran));
        } else {
            told += "has not begun to run";
        }
        return told + fmt::format(", waited {:.2f} s before; ", seconds(what.waited));
    }

    [[nodiscard]] std::string cpu() const {
        if (cpu_of_thread) return fmt::format("CPU {:.2f} s of its thread", seconds(*cpu_of_thread));
        return fmt::format("CPU {:.2f} s of the loop, for all its requests", seconds(cpu_of_loop));
    }
};

constexpr std::string_view is_here = "; it is here:\n";

void write(const slow_one& who, nanoseconds limit, std::string_view introduction, const std::string& stack) {
    log::warning(
        "slow_request_log: {}{} (limit {:.2f} s){}{}",
        who.text(),
        who.cpu(),
        seconds(limit),
        stack.empty() ? std::string_view() : introduction,
        stack
    );
}

}  // namespace

struct slow_log::state {
    state(asio::io_context& loop, std::shared_ptr<loop_stack> of_loop, std::chrono::milliseconds most)
        : io(loop), held(std::move(of_loop)), limit(most) {
        pthread_getcpuclockid(pthread_self(), &loop_clock);
    }

    /// Takes those out that are due. With the mutex.
    std::vector<entry*> take_due(std::int64_t now);
    [[nodiscard]] slow_one look_at(const entry& who, std::int64_t now);
    /// On the loop.
    void tell();
    /// Off the loop, which does not come round.
    void tell_held(std::unique_lock<std::mutex>& lock);
    /// Off the loop, of those whose code is there as well.
    void tell_elsewhere(std::unique_lock<std::mutex>& lock);
    [[nodiscard]] bool may_take_stack(std::int64_t now);

    asio::io_context& io;
    const std::shared_ptr<loop_stack> held;
    const std::chrono::milliseconds limit;
    clockid_t loop_clock = CLOCK_PROCESS_CPUTIME_ID;
    std::mutex mutex;  // for what follows
    std::condition_variable news;
    boost::intrusive::list<entry> running;  // not told of yet, the first to be due first
    std::vector<slow_one> elsewhere;
    std::int64_t stacks_since = 0;
    int stacks = 0;
    bool asked = false;  // the loop was
    bool stopping = false;
};

std::vector<slow_log::entry*> slow_log::state::take_due(std::int64_t now) {
    std::vector<entry*> due;
    while (!running.empty() && now - running.front().since_ >= nanoseconds(limit).count()) {
        due.push_back(&running.front());
        running.pop_front();
    }
    return due;
}

slow_one slow_log::state::look_at(const entry& who, std::int64_t now) {
    const nanoseconds cpu(read(loop_clock) - who.loop_cpu_);
    return {who.owner_.slow_facts(now), cpu, may_take_stack(now), now};
}

bool slow_log::state::may_take_stack(std::int64_t now) {
    if (now - stacks_since >= between_stacks) {
        stacks_since = now;
        stacks = 0;
    }
    return stacks++ < stacks_at_once;
}

void slow_log::state::tell() {
    const std::int64_t now = scoreboard::monotonic_now();
    std::vector<std::pair<slow_one, const app::running_request*>> here;
    {
        const std::lock_guard lock(mutex);
        for (const entry* each : take_due(now)) {
            slow_one who = look_at(*each, now);
            app::running_request* const inside = each->owner_.running();
            if (inside != nullptr) who.elsewhere = inside->from_outside();
            if (who.elsewhere) {
                elsewhere.push_back(std::move(who));
            } else {
                here.emplace_back(std::move(who), inside);
            }
        }
        asked = false;
    }
    news.notify_all();
    for (const auto& [who, inside] : here) {
        write(who, limit, is_here, inside != nullptr && who.with_stack ? inside->stack() : std::string());
    }
}

void slow_log::state::tell_held(std::unique_lock<std::mutex>& lock) {
    const std::int64_t now = scoreboard::monotonic_now();
    std::vector<slow_one> due;
    for (const entry* each : take_due(now)) due.push_back(look_at(*each, now));
    if (due.empty()) return;
    lock.unlock();
    const std::string stack = held->take([this] {
        const std::lock_guard again(mutex);
        return asked;
    });
    for (const slow_one& each : due) {
        write(each, limit, "; the loop is held here:\n", each.with_stack ? stack : std::string());
    }
    lock.lock();
}

void slow_log::state::tell_elsewhere(std::unique_lock<std::mutex>& lock) {
    std::vector<slow_one> due = std::exchange(elsewhere, {});
    lock.unlock();
    for (slow_one& each : due) {
        each.ask_thread();
        write(each, limit, is_here, each.with_stack ? each.elsewhere->stack() : std::string());
    }
    due.clear();
    lock.lock();
}

slow_log::slow_log(asio::io_context& io, std::shared_ptr<loop_stack> held, std::chrono::milliseconds limit)
    : shared_(std::make_shared<state>(io, std::move(held), limit)) {
    const os::signals_held_back for_its_thread;
    // Not joined: it may be waiting for an interpreter that this thread is in.
    std::thread([shared = shared_] { keep_time(shared); }).detach();
}

slow_log::~slow_log() {
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->stopping = true;
    }
    shared_->news.notify_all();
}

void slow_log::keep_time(const std::shared_ptr<state>& shared) {
    state& own = *shared;
    std::unique_lock lock(own.mutex);
    while (!own.stopping) {
        if (!own.elsewhere.empty()) {
            own.tell_elsewhere(lock);
            continue;
        }
        // What comes while this waits is not due before.
        nanoseconds wait = own.limit;
        if (!own.running.empty()) {
            wait -= nanoseconds(scoreboard::monotonic_now() - own.running.front().since_);
        }
        if (wait.count() > 0) {
            own.news.wait_for(lock, wait, [&own] { return !own.elsewhere.empty() || own.stopping; });
            continue;
        }
        if (!std::exchange(own.asked, true)) asio::post(own.io, [shared] { shared->tell(); });
        const auto settled = [&own] { return !own.asked || own.stopping; };
        if (!own.news.wait_for(lock, loop_may_take, settled)) own.tell_held(lock);
    }
}

void slow_log::add(entry& who) {
    who.log_ = this;
    who.since_ = scoreboard::monotonic_now();
    who.loop_cpu_ = read(CLOCK_THREAD_CPUTIME_ID);
    const std::lock_guard lock(shared_->mutex);
    shared_->running.push_back(who);
}

bool slow_log::remove(entry& who) noexcept {
    who.log_ = nullptr;
    const std::lock_guard lock(shared_->mutex);
    if (!who.is_linked()) return false;
    shared_->running.erase(shared_->running.iterator_to(who));
    return true;
}

void slow_log::end(entry& who) noexcept {
    if (!remove(who)) return;
    const std::int64_t now = scoreboard::monotonic_now();
    if (now - who.since_ < nanoseconds(shared_->limit).count()) return;
    const nanoseconds cpu(read(CLOCK_THREAD_CPUTIME_ID) - who.loop_cpu_);
    write({who.owner_.slow_facts(now), cpu, true, now}, shared_->limit, "; it has ", "just ended");
}

}  // namespace unicoro::worker
