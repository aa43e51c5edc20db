// SPDX-License-Identifier: MIT
#pragma once

#include "os/unique_fd.hpp"
#include "python/asgi/asgi_call.hpp"

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::python {

/// A request of scope type "http". Pieces of the response are taken at once up to a bound and written
/// by the connection's coroutine; beyond, send() waits. So pieces that come together leave together,
/// and a response that is complete before any of it was written goes out with its length.
class http_call final : public asgi_call {
  public:
    using asgi_call::asgi_call;
    ~http_call() override;

    progress receive(py_ref& message) override;
    py_ref send(PyObject* message) override;
    progress sent() override;

    bool told_to_end() noexcept override;

  protected:
    py_ref make_scope() override;
    void concluded(ending how) override;
    bool has_errand() const noexcept override;
    bool over() const noexcept override { return failed_ || gone_ || (ended_ && !has_errand()); }
    bool answered() const noexcept override { return ended_; }
    awaitable<void> run_errand() override;
    void leaving() override;

  private:
    enum class phase : std::uint8_t { start, body, complete };

    struct piece {
        std::string copied;
        PyObject* held = nullptr;  // bytes instead of a copy

        [[nodiscard]] std::string_view view() const noexcept;
    };

    // receive()
    [[nodiscard]] progress receive_body(py_ref& message);
    [[nodiscard]] bool take_arrived(std::size_t& size);
    void refuse(error_code why);
    awaitable<void> read_more();
    awaitable<void> watch();

    // send()
    [[nodiscard]] bool take_start(PyObject* message);
    [[nodiscard]] bool take_hint(PyObject* message);
    [[nodiscard]] bool take_body(PyObject* message);
    [[nodiscard]] bool take_file(PyObject* message);
    [[nodiscard]] bool takes(const char* type, phase wanted);
    void take_piece(py_ref body);
    void complete();

    // in the coroutine
    [[nodiscard]] bool is_whole() const noexcept;
    awaitable<error_code> send_whole();
    awaitable<error_code> write_next();
    void done_with_first();

    std::list<piece> pieces_;
    std::size_t unsent_ = 0;
    os::unique_fd file_;
    std::uint64_t file_size_ = 0;
    std::unique_ptr<char[]> buffer_;  // of a read that waits
    std::optional<result<std::size_t>> read_result_;
    phase phase_ = phase::start;
    bool body_done_ = false;
    bool writing_ = false;   // the first piece is on its way
    bool streamed_ = false;  // something was written
    bool ended_ = false;     // nothing more comes
    bool finished_ = false;  // its end was written, or is left to the exchange
    bool told_ = false;      // it shall end
    bool failed_ = false;    // the application's failure, to be answered
};

}  // namespace unicoro::python
