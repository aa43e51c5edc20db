// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace unicoro::http {

/// The byte classes of HTTP's grammar, one bit each.
enum class byte_class : std::uint8_t {
    token = 1,    ///< tchar (RFC 9110, 5.6.2)
    content = 2,  ///< HTAB, SP, VCHAR, obs-text: what a field value or a reason may hold
    target = 4,   ///< VCHAR without '#': what a request-target may hold
    host = 8,     ///< unreserved, sub-delims and '%': what a reg-name may hold (RFC 3986, 3.2.2)
    digit = 16,
    hex = 32,
    lower = 64,
};

namespace detail {

consteval std::array<std::uint8_t, 256> make_byte_classes() {
    std::array<std::uint8_t, 256> table{};
    auto mark = [&table](std::string_view bytes, byte_class c) {
        for (const char byte : bytes) {
            table[static_cast<unsigned char>(byte)] |= static_cast<std::uint8_t>(c);
        }
    };
    auto mark_range = [&table](unsigned first, unsigned last, byte_class c) {
        for (unsigned byte = first; byte <= last; ++byte) {
            table[byte] = static_cast<std::uint8_t>(table[byte] | static_cast<std::uint8_t>(c));
        }
    };
    for (const byte_class c : {byte_class::token, byte_class::host}) {
        mark_range('a', 'z', c);
        mark_range('A', 'Z', c);
        mark_range('0', '9', c);
    }
    mark("!#$%&'*+-.^_`|~", byte_class::token);
    mark("-._~!$&'()*+,;=%", byte_class::host);
    mark("\t", byte_class::content);
    mark_range(0x20, 0x7e, byte_class::content);
    mark_range(0x80, 0xff, byte_class::content);
    mark_range(0x21, 0x22, byte_class::target);
    mark_range(0x24, 0x7e, byte_class::target);
    // Clients send paths undecoded; what they mean is the application's business.
    mark_range(0x80, 0xff, byte_class::target);
    mark_range('0', '9', byte_class::digit);
    mark_range('0', '9', byte_class::hex);
    mark_range('a', 'f', byte_class::hex);
    mark_range('A', 'F', byte_class::hex);
    mark_range('a', 'z', byte_class::lower);
    return table;
}

inline constexpr std::array<std::uint8_t, 256> byte_classes = make_byte_classes();

}  // namespace detail

/// True when `byte` belongs to the class.
[[nodiscard]] constexpr bool is(byte_class c, char byte) noexcept {
    return (detail::byte_classes[static_cast<unsigned char>(byte)] & static_cast<std::uint8_t>(c)) != 0;
}

/// True when every byte belongs to the class; true of nothing.
[[nodiscard]] constexpr bool all(byte_class c, std::string_view text) noexcept {
    for (const char byte : text) {
        if (!is(c, byte)) return false;
    }
    return true;
}

[[nodiscard]] constexpr char to_lower(char byte) noexcept {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte;
}

[[nodiscard]] constexpr char to_upper(char byte) noexcept {
    return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte & ~0x20) : byte;
}

/// Without the spaces and tabs around it (OWS, RFC 9110, 5.6.3).
[[nodiscard]] constexpr std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Takes the next element off a comma-separated list, trimmed. Elements may be empty.
[[nodiscard]] constexpr std::string_view next_element(std::string_view& list) noexcept {
    const std::size_t comma = list.find(',');
    const std::string_view element = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    return trim(element);
}

}  // namespace unicoro::http
