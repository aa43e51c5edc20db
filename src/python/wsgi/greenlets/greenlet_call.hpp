// SPDX-License-Identifier: MIT
#pragma once

#include "aio/recycled.hpp"
#include "python/wsgi/attended_call.hpp"
#include "python/wsgi/greenlets/arriving_body.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::python {

class greenlet_runner;

/// One request in a greenlet. Four parties share it, each with a reference: the coroutine of the
/// connection, which writes; a coroutine of the request's nursery, which reads where that must wait; the
/// hub, which switches; and the greenlets of the application that write, read or run in it. A greenlet
/// that must wait parks in line; whenever something is done, the hub resumes all that wait here, and
/// each looks for itself. Reading and writing go on at the same time; of each, one at a time. Nothing
/// here needs a greenlet's C stack, which is somewhere else meanwhile: the buffers are here.
class greenlet_call final : public boost::intrusive_ref_counter<greenlet_call, boost::thread_unsafe_counter>,
                            public aio::recycled<greenlet_call>,
                            public attended_call {
  public:
    greenlet_call(greenlet_runner& runner, wsgi_runtime& runtime, app::exchange& request, request_body body);
    ~greenlet_call();

    // --- in the coroutine

    void hand_over() override;
    bool has_errand() override { return writing_; }
    /// Writes. Afterwards those that wait can be resumed.
    awaitable<void> run_errand(app::exchange& request) override;
    bool finished() const noexcept override { return finished_; }
    /// Before the greenlet is done: from now on the request is not touched.
    void leave() override;

    // --- in the hub

    /// Greenlets wait for something here.
    [[nodiscard]] bool awaited() const noexcept { return !waiting_.empty(); }
    /// They go on where they wait.
    void resume();
    /// Lets the coroutine go on for good; without a response when it never ran.
    void end();
    /// Raises `exception` in the request's greenlet, wherever it waits.
    void interrupt(PyObject* exception);

    // --- in the greenlet

    /// The request, from its beginning to its end, unless it is gone already. In `greenlet`, a child
    /// of `hub`; keeps neither. Leaves no exception set.
    void run(PyObject* greenlet, PyObject* hub);

    bool write(std::string_view piece, PyObject* owner) override;
    bool hint(const http::response_head& hints) override;
    py_ref read(std::size_t least, std::size_t most) override;
    bool client_gone() const noexcept override { return static_cast<bool>(write_failure_); }
    error_code body_failure() const noexcept override { return body_failure_; }
    bool cancelled() const noexcept override { return interrupted_; }

    // --- for the log
    std::string stack() const override;
    std::shared_ptr<app::code_place> place() override;

  private:
    /// In the frame of a read, from its making to its end, also of one that never began.
    class read_in_flight;

    // A client that sends or reads as fast as it is served must not keep the others from their turns.
    static constexpr std::size_t most_at_once = 1024 * 1024;

    static awaitable<void> read_some(read_in_flight here, app::exchange& request);

    [[nodiscard]] bool in_thread() const;
    [[nodiscard]] bool going_on() const;
    [[nodiscard]] bool park();
    [[nodiscard]] std::optional<error_code> write_at_once(std::string_view piece);
    [[nodiscard]] bool read_on(std::size_t least);
    void note_read(const result<std::size_t>& got) noexcept;
    [[nodiscard]] bool has_come(std::size_t least) const noexcept;

    greenlet_runner& runner_;
    py_ref greenlet_;
    py_ref hub_;
    std::vector<py_ref> waiting_;   // greenlets: the request's own, or some it made
    std::vector<py_ref> resuming_;  // those of them that the hub is switching to, one after another
    py_ref owner_;                  // of the piece that is sent
    std::string_view piece_;
    std::uint64_t written_ = 0;  // pieces that had to wait
    arriving_body arriving_;
    std::size_t awaited_ = 0;  // of the body, by who wants least; a read in flight ends when they are here
    std::size_t at_once_ = most_at_once;  // that may still be read before somebody else has a turn
    std::size_t written_at_once_ = 0;     // since the last piece that had to wait
    error_code read_failure_;             // of the last read, until somebody wants more of the body
    error_code write_failure_;
    error_code body_failure_;
    unsigned long thread_ = 0;
    bool writing_ = false;  // piece_ is due, or on its way
    bool begun_ = false;    // some of it has left
    bool reading_ = false;
    bool finished_ = false;
    bool interrupted_ = false;
};

using greenlet_call_ptr = boost::intrusive_ptr<greenlet_call>;

/// A switch to a request's greenlet came back with the exception that is set: logged, and cleared. In a child
/// that the application forked it ends the child, as it would end any program.
void switch_failed();

}  // namespace unicoro::python
