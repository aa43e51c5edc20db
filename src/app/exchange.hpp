// SPDX-License-Identifier: MIT
#pragma once

#include "aio/task_group.hpp"
#include "app/connection_info.hpp"
#include "app/location.hpp"
#include "http/request_head.hpp"
#include "http/response_head.hpp"

#include <unicoro/awaitable.hpp>
#include <unicoro/result.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace unicoro::app {

class code_place;
class connection_offer;
class websocket;

/// A request inside of an application, as the log wants to know it. Worker only.
class running_request {
  public:
    /// Where its code is, as a stack of calls; empty when that cannot be told.
    [[nodiscard]] virtual std::string stack() const = 0;

    /// What has been computed for it, where its code has a thread for itself and that was measured.
    [[nodiscard]] virtual std::optional<std::chrono::nanoseconds> cpu_time() const { return std::nullopt; }

    /// The two above for other threads than the loop's, also when the request is over by then, where its code
    /// has a thread for itself. Null: it shares the loop's.
    [[nodiscard]] virtual std::shared_ptr<const running_request> from_outside() { return nullptr; }

    /// The place of its code, for host::look_at_code, which calls this from another thread: runs no code of
    /// the application's and waits for nothing. Null: it is in none now.
    [[nodiscard]] virtual std::shared_ptr<code_place> place() { return nullptr; }

    /// The worker drains, and the response is a stream of events, which has no end of its own. True when the
    /// application waits for such word and will end it; else one more event goes through.
    [[nodiscard]] virtual bool told_to_end() noexcept { return false; }

  protected:
    ~running_request() = default;
};

/// Whether the loop goes on while an application is in a request, or is held by it.
enum class loop_meanwhile : std::uint8_t { runs, stands };

/// One request while it runs and the response to it, whatever carried them. Made by the connection,
/// handed to one host, gone when `handle` has returned and the response is sent. Worker only, on the
/// event loop. After an error of a write or read the client is gone: stop, clean up, return.
class exchange {
  public:
    exchange() = default;
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;
    virtual ~exchange() = default;

    [[nodiscard]] virtual const http::request_head& head() const noexcept = 0;
    [[nodiscard]] virtual connection_info& connection() noexcept = 0;

    /// What runs beside `handle` on behalf of the request. When `handle` has returned or thrown, it is
    /// cancelled and awaited, and only then the request goes on to its end: a coroutine in here may refer
    /// to the exchange, and owns whatever else it refers to.
    [[nodiscard]] virtual aio::task_group& nursery() noexcept = 0;

    /// Before the application is called: may it be, now? False where the request must wait for its place
    /// among those that run at once, or cannot have one: then `enter` comes next.
    [[nodiscard]] virtual bool try_enter() { return true; }
    /// Waits for that place. False when there is nothing more to do: it was answered, or its client has gone.
    [[nodiscard]] virtual awaitable<bool> enter() { co_return true; }
    /// The application is done with it, and what is left is to send: its place is another's. The end of
    /// `handle` says the same.
    virtual void leave() noexcept {}
    /// How long it has waited before the application saw it, which is at the first call. Nothing where that
    /// is not measured.
    [[nodiscard]] virtual std::optional<std::chrono::nanoseconds> waited() noexcept { return std::nullopt; }

    /// True when `add_cpu_time` is to be told what the application computes for the request, by hosts that
    /// can know it: on the clock of a thread that runs nothing else meanwhile.
    [[nodiscard]] virtual bool measures_cpu() const noexcept { return false; }
    virtual void add_cpu_time([[maybe_unused]] std::chrono::nanoseconds used) noexcept {}

    /// Reads some of the request body; 0 = its end. Sends "100 Continue" first where the client waits
    /// for it. Fails with errc::client_disconnected, incomplete_body, malformed_body, body_too_large
    /// or deadline_passed (body_timeout without progress). One that is cancelled fails with
    /// errc::cancelled and takes nothing: the next one goes on. May run while something is written.
    virtual awaitable<result<std::size_t>> read_body(std::span<char> into) = 0;

    /// The same as far as it needs no waiting; nothing when it does. Not while a `read_body` runs.
    [[nodiscard]] virtual std::optional<result<std::size_t>> try_read_body(std::span<char> into) = 0;

    /// Returns when the client has gone: closed, or ended its side. From then on nothing can be sent.
    /// After the end of the body only, in the nursery. Also returns when it is cancelled.
    virtual awaitable<void> wait_disconnect() = 0;

    /// Sends "103 Early Hints" (RFC 8297) with the fields of `hints`, whose status and length do not count.
    /// Never waits: what the client has no room for goes out ahead of the response. Does nothing once the
    /// response has begun, for a client that knows no interim responses (HTTP/1.0), for one that asks for a
    /// WebSocket, and where the setting early_hints is false.
    virtual void hint(const http::response_head& hints) = 0;

    /// Status and fields of the response, to be filled before the first byte of it is sent.
    [[nodiscard]] virtual http::response_head& response() noexcept = 0;
    [[nodiscard]] virtual bool head_sent() const noexcept = 0;

    /// The whole body, kept here and sent when `handle` has returned: the cheapest way to answer.
    virtual void respond(std::string body) = 0;

    /// The whole body at once, head and body in one writev; `body` must live until this returns.
    virtual awaitable<error_code> send(std::string_view body) = 0;

    /// A piece of a body of unknown or announced (Content-Length) length. The first write sends the
    /// head. Returns when the kernel took the bytes: that is the back-pressure. Bytes beyond
    /// Content-Length are dropped and logged.
    virtual awaitable<error_code> write(std::string_view piece) = 0;

    /// The same as far as it needs no waiting. Nothing when some of the piece is left, which lives on until
    /// `write_rest` has returned; nothing else is written before that.
    [[nodiscard]] virtual std::optional<error_code> try_write(std::string_view piece) = 0;
    virtual awaitable<error_code> write_rest() = 0;

    /// `write` for code that holds the loop, in its thread or in one that it waits for: blocks, also
    /// everything else of the worker. Asks `give_up` after signals and now and then; once that says so,
    /// the connection is broken and this fails with errc::cancelled.
    virtual error_code write_in_line(std::string_view piece, bool (*give_up)()) = 0;

    /// Sends `count` bytes of a regular file from `offset` by sendfile(2); the file stays open and
    /// unshared until this returns. Combines with `write`; alone it sends the head first.
    virtual awaitable<error_code> write_file(int fd, std::uint64_t offset, std::uint64_t count) = 0;

    /// Ends the body. A body shorter than its Content-Length costs the connection (logged).
    /// Without any write, head and empty body go out here.
    virtual awaitable<error_code> finish() = 0;

    /// Turns the connection into a WebSocket: sends 101 with the fields added to `response`, and
    /// `subprotocol`, one of those offered or empty. Only after `admit_websocket` has returned true. The
    /// WebSocket has ended when the exchange goes, and is kept by who holds it. From here on the response
    /// functions have no effect and request_timeout does not count. Fails with errc::invalid_subprotocol
    /// (nothing was sent: answer otherwise), head_already_sent, or as a write does.
    virtual awaitable<result<std::shared_ptr<websocket>>> accept_websocket(std::string subprotocol) = 0;

    /// Lets the application have the connection itself: for code that makes the handshake of a WebSocket on
    /// its own. Null where it cannot be had; then, as when it is not taken, the request goes on as any
    /// other. Once it is taken, request_timeout does not count, the response functions have no effect, a
    /// drain ends its incoming side, and the end of `handle` ends it. Once for each request.
    [[nodiscard]] virtual std::shared_ptr<connection_offer> offer_connection(loop_meanwhile loop) = 0;

    /// Answers `status` with the server's own page when nothing was sent yet, else breaks the
    /// connection so that the client sees a truncated response. For failures of the application.
    virtual void fail(int status, std::string_view detail) = 0;

    /// True once the client is known to have gone.
    [[nodiscard]] virtual bool disconnected() const noexcept = 0;

    /// Names of environ entries that the access log prints (`%({NAME}e)s`); usually empty.
    [[nodiscard]] virtual std::span<const std::string> logged_environ() const noexcept = 0;
    virtual void log_environ(std::string name, std::string value) = 0;

    [[nodiscard]] client_end client() noexcept { return client_of(connection(), head()); }

    /// Worked out before `handle`.
    void is_at(const location& where) noexcept { where_ = where; }
    [[nodiscard]] const location& where() const noexcept { return where_; }

    /// Set by the host while it can tell where the request is; null otherwise.
    virtual void runs_as(running_request* running) noexcept { running_ = running; }
    [[nodiscard]] running_request* running() const noexcept { return running_; }

  private:
    location where_;
    running_request* running_ = nullptr;
};

}  // namespace unicoro::app
