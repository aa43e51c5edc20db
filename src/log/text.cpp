// SPDX-License-Identifier: MIT
#include "log/text.hpp"

#include <array>
#include <cstddef>

namespace unicoro::log {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

struct byte_range {
    unsigned first;
    unsigned last;
};

/// What may follow the first byte of a UTF-8 sequence (Unicode, table 3-7: no surrogates, no
/// overlong forms, nothing above U+10FFFF).
struct sequence_rule {
    std::size_t length = 0;
    byte_range second{0x80, 0xbf};
};

constexpr sequence_rule rule_of(unsigned lead) noexcept {
    if (lead >= 0xc2 && lead <= 0xdf) return {2, {0x80, 0xbf}};
    if (lead == 0xe0) return {3, {0xa0, 0xbf}};
    if (lead == 0xed) return {3, {0x80, 0x9f}};
    if (lead >= 0xe1 && lead <= 0xef) return {3, {0x80, 0xbf}};
    if (lead == 0xf0) return {4, {0x90, 0xbf}};
    if (lead >= 0xf1 && lead <= 0xf3) return {4, {0x80, 0xbf}};
    if (lead == 0xf4) return {4, {0x80, 0x8f}};
    return {};
}

/// Length of the valid multi-byte sequence at the start of `text`; 0 when there is none.
std::size_t sequence_length(std::string_view text) noexcept {
    const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const sequence_rule rule = rule_of(byte(0));
    if (rule.length == 0 || text.size() < rule.length) return 0;
    if (byte(1) < rule.second.first || byte(1) > rule.second.last) return 0;
    for (std::size_t at = 2; at < rule.length; ++at) {
        if (byte(at) < 0x80 || byte(at) > 0xbf) return 0;
    }
    return rule.length;
}

/// U+0080 to U+009F: a terminal may take them for commands, as it takes ESC.
bool is_c1_control(std::string_view sequence) noexcept {
    return sequence.size() == 2 && sequence[0] == '\xc2' && static_cast<unsigned char>(sequence[1]) <= 0x9f;
}

using byte_set = std::array<bool, 256>;

/// Bytes that need a look; runs of the others are copied whole.
constexpr byte_set special_bytes(std::string_view plain_controls, std::string_view escapes) {
    byte_set set{};
    for (std::size_t byte = 0; byte < set.size(); ++byte) {
        set[byte] = byte < 0x20 || byte >= 0x7f;
    }
    for (const char c : plain_controls) set[static_cast<unsigned char>(c)] = false;
    for (const char c : escapes) set[static_cast<unsigned char>(c)] = true;
    return set;
}

constexpr byte_set message_special = special_bytes("\n\t", "");
constexpr byte_set one_line_special = special_bytes("", "\\");
constexpr byte_set quoted_special = special_bytes("", "\\\"");

constexpr const byte_set& special_of(text_form form) noexcept {
    switch (form) {
        case text_form::message: return message_special;
        case text_form::one_line: return one_line_special;
        case text_form::quoted: break;
    }
    return quoted_special;
}

void append_hex(std::string& line, std::string_view bytes) {
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        const char escape[] = {'\\', 'x', hex_digits[byte >> 4U], hex_digits[byte & 0xfU]};
        line.append(escape, sizeof escape);
    }
}

std::size_t plain_run(std::string_view text, const byte_set& special) noexcept {
    std::size_t length = 0;
    while (length < text.size() && !special[static_cast<unsigned char>(text[length])]) ++length;
    return length;
}

/// The short JSON escape of a byte, or NUL when it has none.
constexpr char json_short_escape(char c) noexcept {
    switch (c) {
        case '"': return '"';
        case '\\': return '\\';
        case '\n': return 'n';
        case '\r': return 'r';
        case '\t': return 't';
        default: return '\0';
    }
}

void append_json_byte(std::string& line, unsigned char byte) {
    if (const char escape = json_short_escape(static_cast<char>(byte)); escape != '\0') {
        line += '\\';
        line += escape;
        return;
    }
    line.append("\\u00");
    line += hex_digits[byte >> 4U];
    line += hex_digits[byte & 0xfU];
}

}  // namespace

void append_text(std::string& line, std::string_view text, text_form form) {
    const byte_set& special = special_of(form);
    while (!text.empty()) {
        const std::size_t run = plain_run(text, special);
        line.append(text.substr(0, run));
        text.remove_prefix(run);
        if (text.empty()) return;

        std::size_t taken = 1;
        if (text[0] == '\\' || text[0] == '"') {
            line += '\\';
            line += text[0];
        } else if (const std::size_t length = sequence_length(text);
                   length > 0 && !is_c1_control(text.substr(0, length))) {
            line.append(text.substr(0, length));
            taken = length;
        } else {
            taken = length > 0 ? length : 1;
            append_hex(line, text.substr(0, taken));
        }
        text.remove_prefix(taken);
    }
}

void append_json_string(std::string& line, std::string_view text) {
    line += '"';
    while (!text.empty()) {
        const std::size_t run = plain_run(text, quoted_special);
        line.append(text.substr(0, run));
        text.remove_prefix(run);
        if (text.empty()) break;

        const auto byte = static_cast<unsigned char>(text[0]);
        std::size_t taken = 1;
        if (byte < 0x80) {
            append_json_byte(line, byte);
        } else if (const std::size_t length = sequence_length(text); length == 0) {
            line.append("\xef\xbf\xbd");
        } else {
            taken = length;
            if (is_c1_control(text.substr(0, length))) {
                append_json_byte(line, static_cast<unsigned char>(text[1]));
            } else {
                line.append(text.substr(0, length));
            }
        }
        text.remove_prefix(taken);
    }
    line += '"';
}

}  // namespace unicoro::log
