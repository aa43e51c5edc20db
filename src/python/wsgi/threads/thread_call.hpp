// SPDX-License-Identifier: MIT
#pragma once

#include "python/wsgi/attended_call.hpp"
#include "python/wsgi/threads/unsent_backlog.hpp"

#include <boost/intrusive/list_hook.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::python {

class thread_runner;

/// One request on a thread of the pool. The thread runs the application and leaves what is to be sent
/// here; the coroutine of the connection sends it. The request itself belongs to the thread from
/// `run` until it is done, so that the loop never waits for the GIL, except to take it away. Who is in
/// here has a reference of its own: the coroutine, the thread, and threads of the application's that
/// write.
class thread_call final
    : public boost::intrusive_ref_counter<thread_call, boost::thread_safe_counter>,
      public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>,
      public attended_call {
  public:
    thread_call(thread_runner& runner, wsgi_runtime& runtime, app::exchange& request, request_body body);

    // --- in the coroutine

    void hand_over() override;
    bool has_errand() override;
    awaitable<void> run_errand(app::exchange& request) override;
    bool finished() const noexcept override { return done_; }
    /// Before the application is done it waits for the GIL, unless the request was taken away before.
    void leave() override;
    void answered() override;
    std::optional<std::chrono::nanoseconds> cpu_used() const noexcept override { return cpu_seen_; }

    /// From now on the request is not touched, and RequestCancelled is raised in the thread. With the
    /// GIL; the coroutine still leaves.
    void take_away();

    // --- on the thread, with the GIL

    void run();

    bool write(std::string_view piece, PyObject* owner) override;
    bool hint(const http::response_head& hints) override;
    py_ref read(std::size_t least, std::size_t most) override;
    error_code body_failure() const noexcept override { return {}; }
    bool cancelled() const noexcept override { return request_.detached(); }
    bool client_gone() const noexcept override { return client_gone_; }

    // --- for the log; waits for the GIL
    std::string stack() const override;
    std::optional<std::chrono::nanoseconds> cpu_time() const override;
    std::shared_ptr<const app::running_request> from_outside() override;
    std::shared_ptr<app::code_place> place() override;

  private:
    class outsider;

    void giving_up() override;
    void end();
    void ring();
    /// How sending a piece went.
    void sent(error_code outcome);
    void pass_hints(app::exchange& request);

    thread_runner& runner_;
    asio::io_context& io_;
    PyThreadState* thread_ = nullptr;        // while the application runs; with the GIL
    bool raised_ = false;                    // something in that thread; with the GIL
    bool client_gone_ = false;               // with the GIL
    std::chrono::nanoseconds cpu_before_{};  // of that thread, when it began; with the GIL
    const bool logs_cpu_;

    std::mutex mutex_;  // for what follows
    std::condition_variable room_;
    unsent_backlog unsent_;
    const http::response_head* hints_ = nullptr;  // of a thread that waits until they are passed on
    error_code failed_;
    bool rung_ = false;
    bool finished_ = false;
    std::optional<std::chrono::nanoseconds> cpu_used_;  // with finished_

    // The coroutine's, as of its last look:
    std::string sending_;
    error_code lost_;  // what was kept cannot be had again
    bool done_ = false;
    std::optional<std::chrono::nanoseconds> cpu_seen_;
};

using thread_call_ptr = boost::intrusive_ptr<thread_call>;

}  // namespace unicoro::python
