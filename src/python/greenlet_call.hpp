// SPDX-License-Identifier: MIT
#pragma once

#include "aio/event.hpp"
#include "aio/recycled.hpp"
#include "python/guest_exchange.hpp"
#include "python/guest_io.hpp"
#include "python/wsgi_call.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <tuple>

namespace unicoro::python {

/// One request in a greenlet. Three parties share it: the coroutine of the connection, which does all
/// input and output; the hub, which switches; and the greenlet with the application. When the
/// greenlet wants to write or read, it leaves an errand, rings the coroutine's bell and parks; the
/// coroutine runs the errand and has the hub resume it. No errand needs the greenlet's C stack, which
/// is somewhere else meanwhile: its buffers are here.
class greenlet_call final
    : public boost::intrusive_ref_counter<greenlet_call, boost::thread_unsafe_counter>,
      public aio::recycled<greenlet_call>,
      public guest_io,
      public app::running_request {
  public:
    greenlet_call(
        asio::io_context& io,
        wsgi_runtime& runtime,
        app::exchange& request,
        app::spooled_body body,
        wsgi_call::body_kind kind
    );
    ~greenlet_call();

    // --- in the coroutine

    /// Waits until the greenlet has an errand or is done.
    [[nodiscard]] auto bell() { return bell_.wait(); }
    [[nodiscard]] bool finished() const noexcept { return errand_ == errand::done; }
    /// Afterwards the greenlet can be resumed. Only with an errand.
    [[nodiscard]] awaitable<void> run_errand();
    [[nodiscard]] const wsgi_call::step& last_step() const noexcept { return step_; }
    /// The coroutine leaves: from now on the request is not touched.
    void detach() { request_.detach(); }

    // --- in the hub

    /// Goes on where the greenlet waits for its errand.
    void resume();
    /// Lets the coroutine go on for good; without a response when it never ran.
    void end();
    /// Raises `exception` in the greenlet, wherever it waits.
    void interrupt(PyObject* exception);

    // --- in the greenlet

    /// The request, from its beginning to its end, unless it is gone already. In `greenlet`, a child
    /// of `hub`; keeps neither. Leaves no exception set.
    void run(PyObject* greenlet, PyObject* hub);

    bool write(std::string_view piece, PyObject* owner) override;
    bool read_more(std::string& into) override;
    error_code body_failure() const noexcept override { return body_failure_; }
    bool cancelled() const noexcept override { return interrupted_; }

    // --- for the log
    std::string stack() const override;

  private:
    enum class errand : std::uint8_t { none, write, read, done };

    [[nodiscard]] bool send_on(errand what);
    [[nodiscard]] bool park();
    [[nodiscard]] bool write_step();

    aio::event bell_;
    guest_exchange request_;
    wsgi_call call_;
    app::spooled_body body_;
    wsgi_call::step step_;
    py_ref greenlet_;
    py_ref hub_;
    py_ref waiting_;  // the greenlet that waits for the errand: the request's own, or one it made
    py_ref owner_;    // of the piece that is sent
    std::string_view piece_;
    std::unique_ptr<char[]> arrived_;
    std::size_t arrived_size_ = 0;
    error_code outcome_;
    error_code body_failure_;
    wsgi_call::body_kind kind_;
    errand errand_ = errand::none;
    bool interrupted_ = false;
};

using greenlet_call_ptr = boost::intrusive_ptr<greenlet_call>;

}  // namespace unicoro::python
