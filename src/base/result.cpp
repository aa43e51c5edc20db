// SPDX-License-Identifier: MIT
#include <unicoro/result.hpp>

namespace unicoro {
namespace {

// Boost's base class has a protected destructor that is not virtual: nobody deletes through it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class category_impl final : public boost::system::error_category {
  public:
    const char* name() const noexcept override { return "unicoro"; }

    std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
            case errc::client_disconnected: return "the client closed the connection";
            case errc::deadline_passed: return "a time limit ran out";
            case errc::cancelled: return "the server stopped the operation";
            case errc::body_too_large: return "the request body exceeds limit_request_body";
            case errc::malformed_body: return "the request body's framing is broken";
            case errc::incomplete_body: return "the request body ended before its announced length";
            case errc::invalid_header: return "a response header field has an invalid name or value";
            case errc::invalid_status: return "the response status is invalid";
            case errc::head_already_sent: return "the response head has already been sent";
            case errc::length_mismatch:
                return "the response body does not have the length that Content-Length announced";
            case errc::not_regular_file: return "not a regular file";
            case errc::invalid_handshake: return "the request is not a valid WebSocket handshake";
            case errc::websocket_closed: return "the WebSocket is closed";
            case errc::invalid_close_code: return "a WebSocket close code that may not be sent";
            case errc::invalid_subprotocol: return "a WebSocket subprotocol that the client did not offer";
            case errc::queue_full: return "too much waits for a slow WebSocket client";
        }
        return "unknown error";
    }
};
#pragma GCC diagnostic pop

}  // namespace

const boost::system::error_category& unicoro_category() noexcept {
    static const category_impl instance;
    return instance;
}

}  // namespace unicoro
