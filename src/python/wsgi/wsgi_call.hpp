// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"
#include "app/spooled_body.hpp"
#include "os/unique_fd.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/wsgi/environ.hpp"
#include "python/wsgi/start_response.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace unicoro::python {

/// What all calls of one application in a worker share. Destroyed with the GIL held.
struct wsgi_runtime {
    environ_builder environs;
    std::vector<std::unique_ptr<response_starter>> starters;  ///< those no request uses
    py_ref application;
    bool use_sendfile = true;
};

/// A request's body as its application gets it.
struct request_body {
    app::spooled_body whole;  ///< empty for a request without one
    bool live = false;        ///< instead: the application reads it through its request_io
};

/// One request's way through a WSGI application: each step runs Python as far as it can and says
/// what to send next. Only through its request_io does a step wait. Takes the GIL
/// itself, for the length of a step. Whatever ends it, its destructor too, `close()` of the
/// application's iterable is called exactly once.
class wsgi_call {
  public:
    enum class action : std::uint8_t {
        none,       ///< answered (exchange::respond) or over: nothing is left to do
        write,      ///< send `bytes`, then call `next`
        send,       ///< `bytes` are the whole body; the application is done
        send_file,  ///< the body is a part of a file; the application is done
        finish,     ///< end the body; the application is done
        fail,       ///< the application failed: what it gave before that goes out first
    };
    struct step {
        action what = action::none;
        std::string_view bytes;  ///< valid until the next call
        int fd = -1;
        std::uint64_t offset = 0;
        std::uint64_t count = 0;
    };

    /// On the loop. `loop` says whether that goes on while the application is called.
    wsgi_call(wsgi_runtime& runtime, app::exchange& request, app::loop_meanwhile loop);
    wsgi_call(const wsgi_call&) = delete;
    wsgi_call& operator=(const wsgi_call&) = delete;
    ~wsgi_call();

    /// Calls the application, which writes through `io`.
    [[nodiscard]] step begin(request_body body, request_io& io);
    /// After a `write`.
    [[nodiscard]] step next();
    /// Instead of `next` when the piece could not be sent: the application is told that it is over.
    void give_up();

  private:
    [[nodiscard]] bool call_application(request_body body);
    [[nodiscard]] step first_step();
    [[nodiscard]] step whole_list();
    [[nodiscard]] step whole_file();
    [[nodiscard]] step iterate();
    [[nodiscard]] step take_chunk(py_ref chunk);
    [[nodiscard]] step take_last_chunk(py_ref chunk);
    [[nodiscard]] step end_of_body();
    [[nodiscard]] step failed();
    [[nodiscard]] bool head_given();
    [[nodiscard]] bool check_chunk(PyObject* chunk);
    [[nodiscard]] bool is_expected(PyObject* exception) const;
    [[nodiscard]] bool offer_socket(PyObject* environ);
    [[nodiscard]] step handed_over() noexcept;
    void note_environ(PyObject* environ);
    void leave_application() noexcept;
    void close_iterable() noexcept;
    void log_failure(std::string_view what, PyObject* exception = nullptr) const;

    wsgi_runtime& runtime_;
    response_state state_;
    std::unique_ptr<response_starter> starter_;
    py_ref live_input_;
    py_ref client_socket_;
    py_ref iterable_;
    py_ref iterator_;
    py_ref chunk_;
    os::unique_fd file_;
    bool inside_ = false;  // the application was called and is not done with this request
    bool single_ = false;  // the iterable has one item, so that one is the whole body
};

}  // namespace unicoro::python
