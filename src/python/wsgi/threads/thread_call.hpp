// SPDX-License-Identifier: MIT
#pragma once

#include "aio/event.hpp"
#include "python/wsgi/detachable_exchange.hpp"
#include "python/wsgi/request_io.hpp"
#include "python/wsgi/threads/unsent_backlog.hpp"
#include "python/wsgi/wsgi_call.hpp"

#include <boost/intrusive/list_hook.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>

namespace unicoro::python {

/// One request on a thread of the pool. The thread runs the application and leaves what is to be sent
/// here; the coroutine of the connection sends it. The request itself belongs to the thread from
/// `run` until it is done, so that the loop never waits for the GIL, except to take it away. Who is in
/// here has a reference of its own: the coroutine, the thread, and threads of the application's that
/// write.
class thread_call final
    : public boost::intrusive_ref_counter<thread_call, boost::thread_safe_counter>,
      public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>,
      public request_io,
      public app::running_request {
  public:
    thread_call(asio::io_context& io, wsgi_runtime& runtime, app::exchange& request, app::spooled_body body);

    // --- in the coroutine

    /// Waits until there is something to send or the application is done.
    [[nodiscard]] auto bell() { return bell_.wait(); }

    struct news {
        std::string_view piece;  ///< to be sent; valid until the next call
        bool finished = false;
        error_code failed = {};  ///< what was kept cannot be had again
    };
    [[nodiscard]] news take_news();
    /// How sending the piece went.
    void sent(error_code outcome);
    [[nodiscard]] bool finished();
    [[nodiscard]] const wsgi_call::step& last_step() const noexcept { return step_; }
    /// The coroutine leaves before the application is done. Waits for the GIL, unless the request was
    /// taken away before.
    void abandon();
    /// From now on the request is not touched, and RequestCancelled is raised in the thread. With the
    /// GIL; the coroutine still leaves.
    void take_away();
    [[nodiscard]] bool taken_away() const noexcept { return request_.detached(); }

    // --- on the thread, with the GIL

    void run();

    bool write(std::string_view piece, PyObject* owner) override;
    bool read_more(std::string& into) override;
    error_code body_failure() const noexcept override { return {}; }
    bool cancelled() const noexcept override { return request_.detached(); }
    bool client_gone() const noexcept override { return client_gone_; }

    // --- for the log; waits for the GIL
    std::string stack() const override;

  private:
    void end();
    void ring();

    asio::io_context& io_;
    aio::event bell_;
    detachable_exchange request_;
    wsgi_call call_;
    app::spooled_body body_;
    wsgi_call::step step_;
    PyThreadState* thread_ = nullptr;  // while the application runs; with the GIL
    bool raised_ = false;              // something in that thread; with the GIL
    bool client_gone_ = false;         // with the GIL

    std::mutex mutex_;  // for what follows
    std::condition_variable room_;
    unsent_backlog unsent_;
    error_code failed_;
    bool rung_ = false;
    bool finished_ = false;

    std::string sending_;  // the coroutine's
};

using thread_call_ptr = boost::intrusive_ptr<thread_call>;

}  // namespace unicoro::python
