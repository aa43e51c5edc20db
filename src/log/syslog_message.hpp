// SPDX-License-Identifier: MIT
#pragma once

#include "log/level.hpp"

#include <sys/types.h>

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace unicoro::log {

/// Who a message is from, in syslog's terms (RFC 5424, 6.2.1): the number of each.
enum class syslog_facility {
    kern = 0,
    user = 1,
    mail = 2,
    daemon = 3,
    auth = 4,
    syslog = 5,
    lpr = 6,
    news = 7,
    uucp = 8,
    cron = 9,
    authpriv = 10,
    ftp = 11,
    local0 = 16,
    local1,
    local2,
    local3,
    local4,
    local5,
    local6,
    local7,
};

enum class syslog_format {
    rfc3164,  ///< "<14>Nov 30 17:00:00 host program[pid]: text", the host only over a network
    rfc5424,  ///< "<14>1 2026-11-30T17:00:00.000000+00:00 host program pid log - text"
};

/// What is the same for every message of a log.
struct syslog_origin {
    syslog_facility facility = syslog_facility::user;
    syslog_format format = syslog_format::rfc3164;
    std::string host;     ///< empty = not named
    std::string program;  ///< "unicoro.app.error", made of `syslog_word`s
    std::string log;      ///< "error", "access"
};

struct syslog_entry {
    level severity = level::info;
    std::string_view text;
    std::chrono::system_clock::time_point when{};
    pid_t pid = 0;
    /// More of it that the journal keeps apart: names in its form (capital letters, digits, underscores).
    std::span<const std::pair<std::string_view, std::string>> fields{};
};

/// Text as a part of a name that no blank, colon or control byte ends; at most 48 bytes (RFC 5424, 6.2.5).
[[nodiscard]] std::string syslog_word(std::string_view text);

/// The message for a socket whose other end takes one message after the other as datagrams, or ended by a
/// newline; with `one_line` the newlines in it become "#012", as rsyslog writes them.
[[nodiscard]] std::string syslog_line(const syslog_origin& from, const syslog_entry& entry, bool one_line);

/// The message in the journal's own protocol.
[[nodiscard]] std::string journal_entry(const syslog_origin& from, const syslog_entry& entry);

}  // namespace unicoro::log
