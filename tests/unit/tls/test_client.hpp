// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace unicoro::tls {

/// A client of TLS in this process, whose encrypted bytes a test carries.
class test_client {
  public:
    test_client();
    ~test_client();

    /// What it wants to send, and what it gets.
    [[nodiscard]] std::string to_server();
    void from_server(std::string_view bytes);

    /// Goes on with the handshake; true when it is over.
    bool shake_hands();
    void send(std::string_view text);
    /// All that has come.
    [[nodiscard]] std::string received();

  private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

}  // namespace unicoro::tls
