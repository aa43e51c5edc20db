// SPDX-License-Identifier: MIT
#pragma once

#include <unicoro/unicoro.hpp>

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace torture {

using unicoro::awaitable;
using unicoro::request;
using unicoro::response;
using unicoro::websocket;

/// The failure that an act asks for: what else is logged as an error is a finding.
struct on_purpose : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What a request asks for; apps/marks.py has the same for Python and for the client.
class ask {
  public:
    explicit ask(request& asked);

    [[nodiscard]] std::string piece(std::size_t index) const;
    [[nodiscard]] std::string pieces() const;
    /// The line that tells what was read of the request's body.
    [[nodiscard]] std::string reading(std::string_view body) const;
    [[nodiscard]] response marked(response answer) const;

    std::string mark;
    std::string act;
    int status;
    std::size_t count;
    std::size_t size;
    std::chrono::milliseconds pause;
    unsigned variant;
};

using handler = awaitable<response> (*)(request&, ask);
using acts = std::map<std::string_view, handler>;

extern const acts http_acts;
extern const acts websocket_acts;

/// Sends to WebSockets whose handlers may have returned.
awaitable<void> chatter();

}  // namespace torture
