// SPDX-License-Identifier: MIT
#include "worker/loop_watch.hpp"

#include "log/log.hpp"
#include "os/signals.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace unicoro::worker {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t most_requests = 5;

// The newest first: what holds the loop is most often the last that began on it.
std::string running_requests(const scoreboard::table& board, std::size_t slot) {
    const scoreboard::monotonic_ns now = scoreboard::monotonic_now();
    const scoreboard::running_requests found = scoreboard::read_requests(board, slot, now);
    const std::size_t all = found.listed.size() + found.unlisted;
    const std::size_t shown = std::min(found.listed.size(), most_requests);
    std::string text;
    for (std::size_t place = 0; place < shown; ++place) {
        const scoreboard::running_request& each = found.listed[found.listed.size() - 1 - place];
        text += fmt::format(
            "{}{} {} for {:.1f} s",
            place == 0 ? "" : ", ",
            log::escaped(each.method),
            log::escaped(each.target),
            static_cast<double>(now - each.started) / 1e9
        );
    }
    if (all > shown) text += fmt::format("{}{} more", shown == 0 ? "" : ", and ", all - shown);
    return text.empty() ? std::string("none") : text;
}

}  // namespace

struct loop_watch::state {
    state(
        std::shared_ptr<loop_stack> of_loop,
        const scoreboard::table& table,
        std::size_t own_slot,
        std::chrono::milliseconds most
    )
        : held(std::move(of_loop)), board(table), slot(own_slot), limit(most) {}

    /// While the loop is held: what the warning says of it.
    void report(clock::time_point since, std::unique_lock<std::mutex>& lock);

    const std::shared_ptr<loop_stack> held;
    const scoreboard::table& board;
    const std::size_t slot;
    const std::chrono::milliseconds limit;
    std::mutex mutex;
    std::condition_variable news;
    bool unanswered = false;
    bool stopping = false;
};

void loop_watch::state::report(clock::time_point since, std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    const std::string requests = running_requests(board, slot);
    const std::string stack = held->take([this] {
        const std::lock_guard again(mutex);
        return unanswered;
    });
    lock.lock();
    if (stopping) return;
    log::warning(
        "blocked_loop_warning: the event loop did not come round for {:.1f} s (limit {:.1f} s); requests in "
        "it: {}{}",
        std::chrono::duration<double>(clock::now() - since).count(),
        std::chrono::duration<double>(limit).count(),
        requests,
        stack.empty() ? std::string() : "; it is here:\n" + stack
    );
}

loop_watch::loop_watch(
    asio::io_context& io,
    std::shared_ptr<loop_stack> held,
    const scoreboard::table& board,
    std::size_t slot,
    std::chrono::milliseconds limit
)
    : shared_(std::make_shared<state>(std::move(held), board, slot, limit)) {
    const os::signals_held_back for_its_thread;
    // Not joined: it may be waiting for an interpreter that this thread is in.
    std::thread([shared = shared_, &io] { watch(shared, io); }).detach();
}

loop_watch::~loop_watch() {
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->stopping = true;
    }
    shared_->news.notify_all();
}

void loop_watch::watch(const std::shared_ptr<state>& shared, asio::io_context& io) {
    state& own = *shared;
    std::unique_lock lock(own.mutex);
    while (!own.stopping) {
        const clock::time_point asked = clock::now();
        own.unanswered = true;
        asio::post(io, [shared] {
            const std::lock_guard answered(shared->mutex);
            shared->unanswered = false;
            shared->news.notify_all();
        });
        const auto settled = [&own] { return !own.unanswered || own.stopping; };
        if (!own.news.wait_for(lock, own.limit, settled)) {
            own.report(asked, lock);
            own.news.wait(lock, settled);
        }
        own.news.wait_for(lock, own.limit / 2, [&own] { return own.stopping; });
    }
}

}  // namespace unicoro::worker
