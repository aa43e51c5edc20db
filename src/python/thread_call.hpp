// SPDX-License-Identifier: MIT
#pragma once

#include "aio/event.hpp"
#include "python/guest_exchange.hpp"
#include "python/guest_io.hpp"
#include "python/unsent_backlog.hpp"
#include "python/wsgi_call.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>

namespace unicoro::python {

/// One request on a thread of the pool. The thread runs the application and leaves what is to be sent
/// here; the coroutine of the connection sends it. The request itself belongs to the thread from
/// `run` until it is done, so that the loop never waits for the GIL, except to take it away.
class thread_call final
    : public boost::intrusive_ref_counter<thread_call, boost::thread_safe_counter>,
      public guest_io,
      public app::running_request {
  public:
    thread_call(
        asio::io_context& io,
        wsgi_runtime& runtime,
        app::exchange& request,
        app::spooled_body body
    );

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
    /// The coroutine leaves: raises RequestCancelled in the thread. Waits for the GIL.
    void abandon();

    // --- on the thread, with the GIL

    void run();

    bool write(std::string_view piece, PyObject* owner) override;
    bool read_more(std::string& into) override;
    bool client_gone() const noexcept override { return client_gone_; }
    error_code body_failure() const noexcept override { return {}; }
    bool cancelled() const noexcept override { return request_.detached(); }

    // --- for the log; waits for the GIL
    std::string stack() const override;

  private:
    void ring();

    asio::io_context& io_;
    aio::event bell_;
    guest_exchange request_;
    wsgi_call call_;
    app::spooled_body body_;
    wsgi_call::step step_;
    bool client_gone_ = false;  // as the thread was told; with the GIL
    unsigned long thread_ = 0;  // Python's number of it while the application runs; with the GIL

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
