// SPDX-License-Identifier: MIT
#include "worker/loop_watch.hpp"

#include "log/log.hpp"

#include <boost/asio/post.hpp>

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

namespace unicoro::worker {

namespace {

using clock = std::chrono::steady_clock;

void report(clock::duration silence, std::chrono::milliseconds limit, const std::string& stack) {
    log::warning(
        "blocked_loop_warning: the event loop did not come round for {:.1f} s (limit {:.1f} s){}",
        std::chrono::duration<double>(silence).count(),
        std::chrono::duration<double>(limit).count(),
        stack.empty() ? std::string() : "; it is here:\n" + stack
    );
}

}  // namespace

struct loop_watch::state {
    std::mutex mutex;
    std::condition_variable news;
    bool unanswered = false;
    bool stopping = false;
};

loop_watch::loop_watch(
    asio::io_context& io, app::host& host, std::chrono::milliseconds limit
)
    : shared_(std::make_shared<state>()) {
    // Signals are the loop's.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    // Not joined: it may be waiting for an interpreter that this thread is in.
    std::thread([shared = shared_, &io, &host, limit] { watch(shared, io, host, limit); }).detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

loop_watch::~loop_watch() {
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->stopping = true;
    }
    shared_->news.notify_all();
}

void loop_watch::watch(
    const std::shared_ptr<state>& shared,
    asio::io_context& io,
    app::host& host,
    std::chrono::milliseconds limit
) {
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
        if (!own.news.wait_for(lock, limit, settled)) {
            lock.unlock();
            const std::string stack = host.stack_of_loop();
            lock.lock();
            // One that came late would show what has nothing to do with it.
            if (own.stopping) return;
            report(clock::now() - asked, limit, own.unanswered ? stack : std::string());
            own.news.wait(lock, settled);
        }
        own.news.wait_for(lock, limit / 2, [&own] { return own.stopping; });
    }
}

}  // namespace unicoro::worker
