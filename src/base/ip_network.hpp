// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::base {

/// An IPv4 or IPv6 address in network byte order; IPv4-mapped IPv6 addresses compare as IPv4.
struct ip_address {
    std::array<std::uint8_t, 16> bytes{};
    bool v6 = false;

    /// Reads dotted or colon notation; a zone (`%eth0`) is refused.
    [[nodiscard]] static std::optional<ip_address> parse(std::string_view text) noexcept;

    /// The canonical notation (RFC 5952).
    [[nodiscard]] std::string text() const;

    [[nodiscard]] bool operator==(const ip_address& other) const noexcept;
};

/// A CIDR block, or a single address. Host bits must be zero ("strict", as Python's ipaddress).
struct ip_network {
    ip_address base;
    unsigned prefix = 0;

    [[nodiscard]] static std::optional<ip_network> parse(std::string_view text) noexcept;
    [[nodiscard]] bool contains(const ip_address& address) const noexcept;
};

/// Who may speak for others (`forwarded_allow_ips`): networks, or everyone ("*").
class trust_list {
  public:
    trust_list() = default;

    /// False and unchanged when the text is neither an address, a strict CIDR block nor "*".
    [[nodiscard]] bool add(std::string_view text);
    [[nodiscard]] bool contains(const ip_address& address) const noexcept;
    /// The same without "*", which says whom to believe, and not who is a proxy.
    [[nodiscard]] bool names(const ip_address& address) const noexcept;
    [[nodiscard]] bool everyone() const noexcept { return everyone_; }

  private:
    std::vector<ip_network> networks_;
    bool everyone_ = false;
};

}  // namespace unicoro::base
