// SPDX-License-Identifier: MIT
#include "base/ip_network.hpp"

#include "base/text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace unicoro::base {
namespace {

/// ::ffff:0:0/96, the block that carries IPv4 addresses (RFC 4291, 2.5.5.2).
constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned mapped_bits = 96;

bool is_mapped(const ip_address& address) noexcept {
    return address.v6 && std::equal(mapped_prefix.begin(), mapped_prefix.end(), address.bytes.begin());
}

ip_address unmapped(const ip_address& address) noexcept {
    if (!is_mapped(address)) return address;
    ip_address v4;
    std::copy_n(address.bytes.begin() + mapped_prefix.size(), 4, v4.bytes.begin());
    return v4;
}

unsigned width(const ip_address& address) noexcept {
    return address.v6 ? 128 : 32;
}

bool same_bits(const ip_address& left, const ip_address& right, unsigned count) noexcept {
    const unsigned whole = count / 8;
    if (!std::equal(left.bytes.begin(), left.bytes.begin() + whole, right.bytes.begin())) {
        return false;
    }
    const unsigned rest = count % 8;
    if (rest == 0) return true;
    const unsigned difference = left.bytes[whole] ^ right.bytes[whole];
    return (difference >> (8 - rest)) == 0;
}

bool host_bits_are_zero(const ip_address& base, unsigned prefix) noexcept {
    for (unsigned bit = prefix; bit < width(base); ++bit) {
        if (((base.bytes[bit / 8] >> (7 - bit % 8)) & 1) != 0) return false;
    }
    return true;
}

}  // namespace

std::optional<ip_address> ip_address::parse(std::string_view text) noexcept {
    std::array<char, INET6_ADDRSTRLEN + 1> terminated{};
    if (text.empty() || text.size() >= terminated.size()) return std::nullopt;
    if (text.find('\0') != text.npos) return std::nullopt;
    std::copy(text.begin(), text.end(), terminated.begin());
    ip_address address;
    address.v6 = text.find(':') != text.npos;
    const int family = address.v6 ? AF_INET6 : AF_INET;
    if (inet_pton(family, terminated.data(), address.bytes.data()) != 1) return std::nullopt;
    return address;
}

std::string ip_address::text() const {
    std::array<char, INET6_ADDRSTRLEN> made{};
    inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), made.data(), made.size());
    return made.data();
}

bool ip_address::operator==(const ip_address& other) const noexcept {
    const ip_address left = unmapped(*this);
    const ip_address right = unmapped(other);
    return left.v6 == right.v6 && same_bits(left, right, width(left));
}

std::optional<ip_network> ip_network::parse(std::string_view text) noexcept {
    const auto slash = text.find('/');
    const auto base = ip_address::parse(text.substr(0, slash));
    if (!base) return std::nullopt;
    ip_network network{*base, width(*base)};
    if (slash != text.npos) {
        const auto prefix = parse_integer<unsigned>(text.substr(slash + 1));
        if (!prefix || *prefix > width(*base)) return std::nullopt;
        network.prefix = *prefix;
    }
    if (!host_bits_are_zero(network.base, network.prefix)) return std::nullopt;
    if (is_mapped(network.base) && network.prefix >= mapped_bits) {
        network.base = unmapped(network.base);
        network.prefix -= mapped_bits;
    }
    return network;
}

bool ip_network::contains(const ip_address& address) const noexcept {
    const ip_address plain = unmapped(address);
    return plain.v6 == base.v6 && same_bits(base, plain, prefix);
}

bool trust_list::add(std::string_view text) {
    if (text == "*") {
        everyone_ = true;
        return true;
    }
    const auto network = ip_network::parse(text);
    if (!network) return false;
    networks_.push_back(*network);
    return true;
}

bool trust_list::contains(const ip_address& address) const noexcept {
    return everyone_ || names(address);
}

bool trust_list::names(const ip_address& address) const noexcept {
    return std::any_of(networks_.begin(), networks_.end(), [&](const ip_network& network) {
        return network.contains(address);
    });
}

}  // namespace unicoro::base
