// SPDX-License-Identifier: MIT
#pragma once

#include "settings/settings.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace unicoro::settings {

template <class Enum, std::size_t Size>
using word_table = std::array<std::pair<Enum, std::string_view>, Size>;

/// The words of an enumeration, as the settings write them (aliases are a matter of its value type).
template <class Enum>
inline constexpr std::nullptr_t words_of = nullptr;

template <>
inline constexpr word_table<worker_class, 4> words_of<worker_class>{{
    {worker_class::sync, "sync"},
    {worker_class::gthread, "gthread"},
    {worker_class::async, "async"},
    {worker_class::eventlet, "eventlet"},
}};

template <>
inline constexpr word_table<log_level, 5> words_of<log_level>{{
    {log_level::debug, "debug"},
    {log_level::info, "info"},
    {log_level::warning, "warning"},
    {log_level::error, "error"},
    {log_level::critical, "critical"},
}};

template <>
inline constexpr word_table<log::syslog_facility, 20> words_of<log::syslog_facility>{{
    {log::syslog_facility::auth, "auth"},     {log::syslog_facility::authpriv, "authpriv"},
    {log::syslog_facility::cron, "cron"},     {log::syslog_facility::daemon, "daemon"},
    {log::syslog_facility::ftp, "ftp"},       {log::syslog_facility::kern, "kern"},
    {log::syslog_facility::local0, "local0"}, {log::syslog_facility::local1, "local1"},
    {log::syslog_facility::local2, "local2"}, {log::syslog_facility::local3, "local3"},
    {log::syslog_facility::local4, "local4"}, {log::syslog_facility::local5, "local5"},
    {log::syslog_facility::local6, "local6"}, {log::syslog_facility::local7, "local7"},
    {log::syslog_facility::lpr, "lpr"},       {log::syslog_facility::mail, "mail"},
    {log::syslog_facility::news, "news"},     {log::syslog_facility::syslog, "syslog"},
    {log::syslog_facility::user, "user"},     {log::syslog_facility::uucp, "uucp"},
}};

template <>
inline constexpr word_table<log::syslog_format, 2> words_of<log::syslog_format>{{
    {log::syslog_format::rfc3164, "rfc3164"},
    {log::syslog_format::rfc5424, "rfc5424"},
}};

template <>
inline constexpr word_table<http::underscore_fields, 3> words_of<http::underscore_fields>{{
    {http::underscore_fields::drop, "drop"},
    {http::underscore_fields::refuse, "refuse"},
    {http::underscore_fields::dangerous, "dangerous"},
}};

template <>
inline constexpr word_table<http::proxy_protocol, 4> words_of<http::proxy_protocol>{{
    {http::proxy_protocol::off, "off"},
    {http::proxy_protocol::v1, "v1"},
    {http::proxy_protocol::v2, "v2"},
    {http::proxy_protocol::any, "auto"},
}};

template <>
inline constexpr word_table<http::client_field, 3> words_of<http::client_field>{{
    {http::client_field::off, "off"},
    {http::client_field::x_forwarded_for, "x-forwarded-for"},
    {http::client_field::forwarded, "forwarded"},
}};

template <>
inline constexpr word_table<http::trace_policy, 3> words_of<http::trace_policy>{{
    {http::trace_policy::pass, "pass"},
    {http::trace_policy::accept, "accept"},
    {http::trace_policy::make, "make"},
}};

template <>
inline constexpr word_table<app_interface, 4> words_of<app_interface>{{
    {app_interface::auto_detect, "auto"},
    {app_interface::wsgi, "wsgi"},
    {app_interface::asgi, "asgi"},
    {app_interface::native, "native"},
}};

template <>
inline constexpr word_table<lifespan_mode, 3> words_of<lifespan_mode>{{
    {lifespan_mode::auto_detect, "auto"},
    {lifespan_mode::on, "on"},
    {lifespan_mode::off, "off"},
}};

template <>
inline constexpr word_table<ipv6_only_mode, 3> words_of<ipv6_only_mode>{{
    {ipv6_only_mode::system, "auto"},
    {ipv6_only_mode::on, "on"},
    {ipv6_only_mode::off, "off"},
}};

template <>
inline constexpr word_table<tls_version, 2> words_of<tls_version>{{
    {tls_version::tls_1_2, "1.2"},
    {tls_version::tls_1_3, "1.3"},
}};

template <>
inline constexpr word_table<http2_cleartext_mode, 2> words_of<http2_cleartext_mode>{{
    {http2_cleartext_mode::off, "off"},
    {http2_cleartext_mode::prior_knowledge, "prior-knowledge"},
}};

template <>
inline constexpr word_table<queue_order, 2> words_of<queue_order>{{
    {queue_order::fifo, "fifo"},
    {queue_order::adaptive_lifo, "adaptive_lifo"},
}};

template <>
inline constexpr word_table<request_priority, 3> words_of<request_priority>{{
    {request_priority::high, "high"},
    {request_priority::normal, "normal"},
    {request_priority::low, "low"},
}};

/// An enumeration that settings have words for.
template <class T>
concept has_words = requires { words_of<T>.size(); };

/// The word for a value.
template <has_words Enum>
[[nodiscard]] constexpr std::string_view to_string(Enum wanted) noexcept {
    for (const auto& [value, word] : words_of<Enum>) {
        if (value == wanted) return word;
    }
    return {};
}

/// The value that has this word; nothing for other words.
template <has_words Enum>
[[nodiscard]] constexpr std::optional<Enum> from_string(std::string_view wanted) noexcept {
    for (const auto& [value, word] : words_of<Enum>) {
        if (word == wanted) return value;
    }
    return std::nullopt;
}

}  // namespace unicoro::settings
