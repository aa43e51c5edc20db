// SPDX-License-Identifier: MIT
#pragma once

#include "python/runtime/text.hpp"
#include "python/wsgi/request_io.hpp"
#include "python/wsgi/wsgi_call.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string_view>

namespace unicoro::python {

/// One request in the loop's own thread. What its code writes goes out at once, while the loop is held;
/// threads of the application's may write too, as long as that thread is in the application, one piece
/// after another. Lives in the coroutine's frame, and ends only when no such thread is in here.
class inline_call final : public request_io {
  public:
    /// `alive` tells the master that the worker is: the time it has counts from the begin of a call.
    inline_call(wsgi_runtime& runtime, app::exchange& request, const std::function<void()>& alive)
        : request_(request), alive_(alive), call_(runtime, request, app::loop_meanwhile::stands) {}
    inline_call(const inline_call&) = delete;
    inline_call& operator=(const inline_call&) = delete;
    /// Gives it up when it is not done.
    ~inline_call();

    // As of wsgi_call.
    [[nodiscard]] wsgi_call::step begin(request_body body);
    [[nodiscard]] wsgi_call::step next();

    /// Between two steps: sends what the first gave. The loop runs while that must wait.
    [[nodiscard]] awaitable<error_code> send(std::string_view piece);

    bool write(std::string_view piece, PyObject* owner) override;
    bool hint(const http::response_head& hints) override;
    py_ref read(std::size_t, std::size_t) override { return bytes_of({}); }
    error_code body_failure() const noexcept override { return {}; }
    bool cancelled() const noexcept override;
    bool client_gone() const noexcept override { return client_gone_; }

  private:
    /// The thread of the loop is in the application while this lives.
    class visit;

    void leave();
    /// Lets the application act on the request, whose loop is held: one of its threads at a time.
    template <class Action>
    [[nodiscard]] bool act(Action action);

    app::exchange& request_;
    const std::function<void()>& alive_;
    // For what follows, while there is a writer. One begins and ends with the GIL: who has that and finds
    // none needs no lock.
    std::mutex mutex_;
    std::condition_variable news_;
    int writers_ = 0;
    bool visited_ = false;
    bool writing_ = false;
    std::atomic<bool> over_ = false;  // set with the GIL
    std::atomic<bool> client_gone_ = false;
    bool drain_seen_ = false;
    bool entered_ = false;
    wsgi_call call_;  // last: its end calls the application, which may write
};

}  // namespace unicoro::python
