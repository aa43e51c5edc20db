// SPDX-License-Identifier: MIT
#include "http/proxy_header.hpp"

#include "base/ip_network.hpp"
#include "base/text.hpp"

#include <boost/crc.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <optional>

namespace unicoro::http {
namespace {

using status = proxy_step::status;
using family = proxied_connection::family;

constexpr std::string_view v1_start = "PROXY ";
constexpr std::size_t longest_v1_line = 107;
constexpr std::string_view v2_start("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t v2_fixed = 16;

proxy_step refused(std::string_view why) noexcept {
    return {status::refused, 0, why};
}

/// What of `start` has come, and whether that is all of it.
enum class beginning { other, part, whole };

beginning begins_with(std::string_view input, std::string_view start) noexcept {
    const std::size_t common = std::min(input.size(), start.size());
    if (input.substr(0, common) != start.substr(0, common)) return beginning::other;
    return common == start.size() ? beginning::whole : beginning::part;
}

std::optional<std::uint16_t> port_of(std::string_view digits) noexcept {
    if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
    return base::parse_integer<std::uint16_t>(digits);
}

bool is_address(std::string_view text, bool v6) noexcept {
    // The parser maps IPv4 in IPv6 notation to IPv4.
    return base::ip_address::parse(text) && (text.find(':') != std::string_view::npos) == v6;
}

proxy_step read_v1(std::string_view input, proxied_connection& into) {
    const std::size_t end = input.substr(0, longest_v1_line).find("\r\n");
    if (end == std::string_view::npos) {
        if (input.size() < longest_v1_line) return {status::need_more};
        return refused("the line of version 1 does not end within 107 bytes");
    }
    std::string_view line = input.substr(v1_start.size(), end - v1_start.size());
    const auto next = [&line] {
        const std::size_t space = line.find(' ');
        const std::string_view word = line.substr(0, space);
        line = space == std::string_view::npos ? std::string_view{} : line.substr(space + 1);
        return word;
    };
    const proxy_step done{status::complete, end + 2};
    const std::string_view protocol = next();
    if (protocol == "UNKNOWN") return done;
    if (protocol != "TCP4" && protocol != "TCP6") return refused("neither TCP4, TCP6 nor UNKNOWN");
    const bool v6 = protocol == "TCP6";
    const std::string_view source = next();
    const std::string_view destination = next();
    const auto source_port = port_of(next());
    const auto destination_port = port_of(line);
    if (!is_address(source, v6) || !is_address(destination, v6) || !source_port || !destination_port) {
        return refused("not two addresses of its family and two ports");
    }
    into.kind = v6 ? family::tcp6 : family::tcp4;
    into.source = source;
    into.destination = destination;
    into.source_port = *source_port;
    into.destination_port = *destination_port;
    return done;
}

std::uint8_t byte_at(std::string_view bytes, std::size_t place) noexcept {
    return static_cast<std::uint8_t>(bytes[place]);
}

std::uint16_t number_at(std::string_view bytes, std::size_t place) noexcept {
    return static_cast<std::uint16_t>(byte_at(bytes, place) << 8 | byte_at(bytes, place + 1));
}

std::string address_at(std::string_view bytes, std::size_t place, int kind) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(kind, bytes.data() + place, text.data(), text.size());
    return text.data();
}

// As sockaddr_un has it.
constexpr std::size_t path_size = 108;

std::string path_at(std::string_view bytes, std::size_t place) {
    const std::string_view field = bytes.substr(place, path_size);
    return std::string(field.substr(0, field.find('\0')));
}

/// Takes the next type, length and value off a list; none where it is cut.
struct tlv {
    std::uint8_t type;
    std::string_view value;
};

std::optional<tlv> next_tlv(std::string_view& list) noexcept {
    if (list.size() < 3) return std::nullopt;
    const std::size_t size = number_at(list, 1);
    if (list.size() - 3 < size) return std::nullopt;
    const tlv found{byte_at(list, 0), list.substr(3, size)};
    list.remove_prefix(3 + size);
    return found;
}

// Types of version 2 (proxy-protocol.txt, 2.2.1 to 2.2.7).
constexpr std::uint8_t type_alpn = 0x01;
constexpr std::uint8_t type_authority = 0x02;
constexpr std::uint8_t type_crc32c = 0x03;
constexpr std::uint8_t type_ssl = 0x20;
constexpr std::uint8_t type_ssl_version = 0x21;
constexpr std::uint8_t type_ssl_cn = 0x22;

bool read_ssl(std::string_view value, proxied_connection& into) {
    constexpr unsigned by_tls = 0x01;
    constexpr unsigned shown_now = 0x02;
    constexpr unsigned shown_in_session = 0x04;
    if (value.size() < 5) return false;
    const unsigned client = byte_at(value, 0);
    into.tls = (client & by_tls) != 0;
    const bool no_error = value.substr(1, 4) == std::string_view("\0\0\0\0", 4);
    into.verified = (client & (shown_now | shown_in_session)) != 0 && no_error;
    value.remove_prefix(5);
    while (!value.empty()) {
        const auto each = next_tlv(value);
        if (!each) return false;
        if (each->type == type_ssl_version) into.tls_version = each->value;
        if (each->type == type_ssl_cn) into.common_name = each->value;
    }
    return true;
}

// The checksum is over the whole header with its own four bytes as zeros.
bool checksum_fits(std::string_view header, std::string_view checksum) {
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> sum;
    const auto before = static_cast<std::size_t>(checksum.data() - header.data());
    sum.process_bytes(header.data(), before);
    sum.process_bytes("\0\0\0\0", 4);
    sum.process_bytes(checksum.data() + 4, header.size() - before - 4);
    const std::uint32_t said =
        static_cast<std::uint32_t>(number_at(checksum, 0)) << 16 | number_at(checksum, 2);
    return sum.checksum() == said;
}

std::string_view read_tlvs(std::string_view header, std::string_view list, proxied_connection& into) {
    while (!list.empty()) {
        const auto each = next_tlv(list);
        if (!each) return "a TLV is cut off";
        if (each->type == type_alpn) into.alpn = each->value;
        if (each->type == type_authority) into.authority = each->value;
        if (each->type == type_ssl && !read_ssl(each->value, into)) return "the TLV of SSL is cut off";
        if (each->type != type_crc32c) continue;
        if (each->value.size() != 4 || !checksum_fits(header, each->value)) return "the checksum is wrong";
    }
    return {};
}

constexpr std::size_t cut = std::string_view::npos;

// Each of these gives the bytes that both ends take in the fixed part of their family.

std::size_t read_internet_ends(family kind, std::string_view ends, proxied_connection& into) {
    const bool v6 = kind == family::tcp6;
    const std::size_t address = v6 ? sizeof(in6_addr) : sizeof(in_addr);
    const std::size_t size = 2 * address + 4;
    if (ends.size() < size) return cut;
    into.kind = kind;
    into.source = address_at(ends, 0, v6 ? AF_INET6 : AF_INET);
    into.destination = address_at(ends, address, v6 ? AF_INET6 : AF_INET);
    into.source_port = number_at(ends, 2 * address);
    into.destination_port = number_at(ends, 2 * address + 2);
    return size;
}

std::size_t read_unix_ends(std::string_view ends, proxied_connection& into) {
    if (ends.size() < 2 * path_size) return cut;
    into.kind = family::unix_socket;
    into.source = path_at(ends, 0);
    into.destination = path_at(ends, path_size);
    return 2 * path_size;
}

std::size_t read_ends(std::uint8_t kind, std::string_view ends, proxied_connection& into) {
    switch (kind >> 4) {
        case 1: return read_internet_ends(family::tcp4, ends, into);
        case 2: return read_internet_ends(family::tcp6, ends, into);
        case 3: return read_unix_ends(ends, into);
        default: return 0;
    }
}

proxy_step read_v2(std::string_view input, proxied_connection& into) {
    if (input.size() < v2_fixed) return {status::need_more};
    const std::uint8_t what = byte_at(input, 12);
    if (what >> 4 != 2) return refused("a version other than 2 behind the signature of version 2");
    const unsigned command = what & 0x0F;
    if (command > 1) return refused("a command that is neither LOCAL nor PROXY");
    const std::size_t size = v2_fixed + number_at(input, 14);
    if (size > longest_proxy_header) return refused("longer than 4 KiB");
    if (input.size() < size) return {status::need_more};
    const proxy_step done{status::complete, size};
    if (command == 0) return done;
    const std::string_view header = input.substr(0, size);
    const std::string_view rest = header.substr(v2_fixed);
    const std::size_t ends = read_ends(byte_at(header, 13), rest, into);
    if (ends > rest.size()) return refused("the addresses are cut off");
    // Of an unknown family nothing else is understood either.
    if (into.kind == family::none) return done;
    const std::string_view wrong = read_tlvs(header, rest.substr(ends), into);
    return wrong.empty() ? done : refused(wrong);
}

}  // namespace

proxy_step read_proxy_header(std::string_view input, proxy_protocol which, proxied_connection& into) {
    into = {};
    bool may_come = false;
    if (which == proxy_protocol::v1 || which == proxy_protocol::any) {
        const beginning found = begins_with(input, v1_start);
        if (found == beginning::whole) return read_v1(input, into);
        may_come = found == beginning::part;
    }
    if (which == proxy_protocol::v2 || which == proxy_protocol::any) {
        const beginning found = begins_with(input, v2_start);
        if (found == beginning::whole) return read_v2(input, into);
        may_come |= found == beginning::part;
    }
    return {may_come ? status::need_more : status::absent};
}

}  // namespace unicoro::http
