// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/awaitable.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace unicoro {

namespace app {
class exchange;
class response_access;
}  // namespace app

/// Where a streamed body is written to. Lives as long as the request, and like it is passed on by
/// reference alone. One write at a time.
class response_writer {
  public:
    explicit response_writer(app::exchange& exchange) noexcept : exchange_(exchange) {}
    response_writer(const response_writer&) = delete;
    response_writer& operator=(const response_writer&) = delete;

    /// Sends a piece, which must live until this is done: when the kernel took it, which is the
    /// back-pressure. Throws
    /// `boost::system::system_error` (errc::client_disconnected, deadline_passed) when nobody listens
    /// any more: let it pass, it is not logged as a failure.
    awaitable<void> write(std::string_view piece);

  private:
    app::exchange& exchange_;
};

/// The answer to one request. The server adds Date, Server, Connection and the body's framing.
class response {
  public:
    using body_stream = std::function<awaitable<void>(response_writer&)>;

    /// An empty body. `status` is 200 to 599.
    explicit response(int status = 200) noexcept : status_(status) {}

    [[nodiscard]] static response text(std::string body, int status = 200);
    [[nodiscard]] static response html(std::string body, int status = 200);
    [[nodiscard]] static response json(std::string body, int status = 200);
    [[nodiscard]] static response redirect(std::string location, int status = 302);

    /// A regular file, sent by sendfile(2), with Content-Type by its name, Last-Modified and ETag; or what
    /// the request's conditions and ranges make of it (RFC 9110, 13 and 14). 404 when it cannot be opened. Of
    /// these fields, those that are added go before. The caller answers for the path: never pass a client's
    /// words unchecked.
    [[nodiscard]] static response file(std::filesystem::path path);

    /// A body made while it is sent. `write_body` runs on the event loop after the head is decided; an
    /// exception from it truncates the response visibly.
    [[nodiscard]] static response stream(std::string content_type, body_stream write_body);

    /// Adds a field; names that the server owns (Connection, Date, ...) are dropped or obeyed. A name
    /// or value that cannot be sent makes the server answer 500 and log why.
    response& add_header(std::string name, std::string value) &;
    response&& add_header(std::string name, std::string value) &&;

    response& set_body(std::string body) {
        body_ = std::move(body);
        return *this;
    }
    [[nodiscard]] int status() const noexcept { return status_; }

  private:
    friend class app::response_access;

    int status_;
    std::string_view content_type_{};  // of static storage; an added Content-Type goes before it
    std::vector<std::pair<std::string, std::string>> headers_;
    std::variant<std::string, std::filesystem::path, body_stream> body_;
};

}  // namespace unicoro
