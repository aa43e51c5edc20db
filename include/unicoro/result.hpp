// SPDX-License-Identifier: MIT
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <type_traits>

namespace unicoro {

using boost::system::error_code;

/// A value or the reason there is none. Never throws unless `value()` is called on an error.
template <class T>
using result = boost::system::result<T>;

/// Failures that are Unicoro's own, beside those of the system (errno).
enum class errc {
    client_disconnected = 1,  ///< the peer closed or reset the connection
    deadline_passed,          ///< a time limit of the settings ran out
    cancelled,                ///< the server stopped the operation (drain, request_timeout)
    body_too_large,           ///< the request body exceeds limit_request_body (RFC 9110, 15.5.14)
    malformed_body,           ///< the request body's framing is broken (RFC 9112, 7)
    incomplete_body,          ///< the peer ended before Content-Length was reached (RFC 9112, 8)
    invalid_header,           ///< a response header field has a name or value that cannot be sent
    invalid_status,           ///< a response status outside 200..599 or with control bytes
    head_already_sent,        ///< the response head is on its way, it cannot be changed any more
    length_mismatch,          ///< the response body is longer or shorter than its Content-Length
    not_regular_file,         ///< only regular files can be sent
    invalid_handshake,        ///< the request asks for no WebSocket, or wrongly (RFC 6455, 4.2.1)
    websocket_closed,         ///< the WebSocket is closed or closing
    invalid_close_code,       ///< a close code that may not be sent (RFC 6455, 7.4)
    invalid_subprotocol,      ///< a WebSocket subprotocol that the client did not offer
    queue_full,               ///< not sent: too much waits for a slow WebSocket client
};

/// The category of `errc`.
const boost::system::error_category& unicoro_category() noexcept;

inline error_code make_error_code(errc e) noexcept {
    return {static_cast<int>(e), unicoro_category()};
}

}  // namespace unicoro

template <>
struct boost::system::is_error_code_enum<unicoro::errc> : std::true_type {};
