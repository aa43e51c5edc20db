// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/awaitable.hpp>
#include <unicoro/header_field.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro {

class websocket;

namespace app {
class exchange;
}

/// The body of a request, read as it arrives. Not read is allowed: the server deals with the rest.
/// Every call throws `boost::system::system_error` with an `errc` when the body cannot be had whole
/// (client gone, too large, broken framing, body_timeout); let it pass and the server answers rightly.
///
/// A view of the request, with its life; not to be copied into what may live longer: pass the request on.
/// One read at a time.
class request_body {
  public:
    explicit request_body(app::exchange& exchange) noexcept : exchange_(exchange) {}
    request_body(const request_body&) = delete;
    request_body& operator=(const request_body&) = delete;

    /// Reads at least one byte into `into`, which must not be empty and live until this is done; 0 = the
    /// end.
    awaitable<std::size_t> read_some(std::span<char> into);

    /// Reads up to the end; more than `limit` bytes throw errc::body_too_large (answered 413).
    awaitable<std::string> read_all(std::size_t limit = std::size_t{1} << 20);

  private:
    app::exchange& exchange_;
};

/// One HTTP request. Lives, with all views it returns, until its handler has returned, its response has
/// been sent as far as the handler makes it (response::stream), and what `spawn` began has ended. Nothing
/// else may refer to it: not a coroutine of worker_handle::spawn, nor of another request.
class request {
  public:
    explicit request(app::exchange& exchange) noexcept : exchange_(exchange) {}
    request(const request&) = delete;
    request& operator=(const request&) = delete;

    [[nodiscard]] std::string_view method() const noexcept;
    [[nodiscard]] std::string_view target() const noexcept;  ///< as sent (RFC 9112, 3.2)
    /// Still percent-encoded; below `mount`, and "/" where nothing is left there.
    [[nodiscard]] std::string_view path() const noexcept;
    /// Where the application is mounted: SCRIPT_NAME and its prefix in the setting `apps`; empty at "/".
    [[nodiscard]] std::string mount() const;
    [[nodiscard]] std::string_view query() const noexcept;           ///< without '?', still encoded
    [[nodiscard]] std::string_view protocol() const noexcept;        ///< "HTTP/1.1"
    [[nodiscard]] std::string_view scheme() const noexcept;          ///< as trusted proxies tell
    [[nodiscard]] std::string_view host() const noexcept;            ///< Host, or the target's authority
    [[nodiscard]] std::string_view remote_address() const noexcept;  ///< empty on a unix socket
    [[nodiscard]] std::uint16_t remote_port() const noexcept;
    /// What a proxy said of the connection when it announced the client (setting proxy_protocol), by the
    /// names that docs/deployment.md lists ("PROXY_ADDR"); empty where it is not said.
    [[nodiscard]] std::string connection_variable(std::string_view name) const;

    /// How long it waited before its handler was called: in the kernel, in the queue of
    /// max_concurrent_requests, and in a trusted proxy that sends X-Request-Start. Nothing where that is not
    /// measured (setting queue_time).
    [[nodiscard]] std::optional<std::chrono::nanoseconds> queue_time() const noexcept;

    [[nodiscard]] std::span<const header_field> headers() const noexcept;
    /// The first field of that name, compared without case.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;

    /// The path with percent-encoding undone; malformed sequences stay as they are.
    [[nodiscard]] std::string decoded_path() const;
    /// The first `name=value` of the query, decoded ('+' is a space).
    [[nodiscard]] std::optional<std::string> query_parameter(std::string_view name) const;

    /// Asks the client for a WebSocket (websocket::accept)? Where it does not matter, answer as usual.
    [[nodiscard]] bool wants_websocket() const noexcept;
    /// The WebSocket subprotocols that the client offers, in its order.
    [[nodiscard]] std::vector<std::string_view> websocket_subprotocols() const;

    [[nodiscard]] request_body body() noexcept { return request_body(exchange_); }

    /// Sends "103 Early Hints" (RFC 8297) at once, usually with Link fields: what the client can load while
    /// the response is made. Any number of times; nothing happens once the response has begun, or for a
    /// client of HTTP/1.0. Throws `boost::system::system_error` with errc::invalid_header.
    void early_hints(std::span<const header_field> fields);
    void early_hints(std::initializer_list<header_field> fields) {
        early_hints(std::span<const header_field>(fields.begin(), fields.size()));
    }

    /// Runs a coroutine beside the handler, for this request alone: it may refer to the request, and to the
    /// response_writer. What of it still runs when the handler and the response's stream are through is
    /// cancelled (operation_aborted), and awaited before the request goes: it must end then. What it takes
    /// from the handler's own frame it takes by value. An exception from it is logged under `name`.
    void spawn(std::string name, awaitable<void> task);

  private:
    friend class websocket;

    app::exchange& exchange_;
};

}  // namespace unicoro
