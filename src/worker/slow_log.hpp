// SPDX-License-Identifier: MIT
#pragma once

#include "aio/asio.hpp"
#include "worker/loop_stack.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace unicoro::worker {

class request_run;

/// Tells of every request that has been in the application for longer than a limit (slow_request_log), once,
/// while it is there: where it is now. A thread of its own keeps the time. The loop tells of what runs on it
/// and is suspended; while the loop is held, and of code that has a thread for itself, that thread does.
class slow_log {
  public:
    /// What is told of a request.
    struct facts {
        std::string method;
        std::string path;
        std::chrono::nanoseconds waited;              ///< before the application saw it
        std::optional<std::chrono::nanoseconds> ran;  ///< since then; nothing = it has not seen it yet
    };

    /// A request's place in here, and part of the request. Leaves when destroyed.
    class entry : public boost::intrusive::list_base_hook<> {
      public:
        explicit entry(request_run& owner) noexcept : owner_(owner) {}
        entry(const entry&) = delete;
        entry& operator=(const entry&) = delete;
        ~entry() {
            if (log_ != nullptr) log_->remove(*this);
        }

        /// The application is done with it, or it is of a kind that has no end.
        void leave() noexcept {
            if (log_ != nullptr) log_->end(*this);
        }

      private:
        friend class slow_log;

        request_run& owner_;
        slow_log* log_ = nullptr;
        std::int64_t since_ = 0;     // monotonic nanoseconds
        std::int64_t loop_cpu_ = 0;  // of the loop's thread, then
    };

    /// On the loop's thread, as all of it. All of them live as long as the process.
    slow_log(asio::io_context& io, std::shared_ptr<loop_stack> held, std::chrono::milliseconds limit);
    slow_log(const slow_log&) = delete;
    slow_log& operator=(const slow_log&) = delete;
    ~slow_log();

    /// Has its place in the application from now on.
    void add(entry& who);

  private:
    struct state;

    static void keep_time(const std::shared_ptr<state>& shared);
    /// False when it was told of.
    bool remove(entry& who) noexcept;
    void end(entry& who) noexcept;

    std::shared_ptr<state> shared_;
};

}  // namespace unicoro::worker
