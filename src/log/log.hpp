// SPDX-License-Identifier: MIT
#pragma once

#include "log/level.hpp"

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>

namespace unicoro::log {

/// True when a line of this level would be written: guard costly arguments with it.
bool enabled(level at) noexcept;

/// Writes one line to the error log in one write(2). Newlines and tabs stay, so that a traceback is
/// one entry of many lines; every other control byte and every byte that is not UTF-8 is escaped.
/// Text of a client in the message must have gone through `escaped`, or it could forge lines.
/// Before `open` and after a failure to open it goes to stderr. Any process, any thread; never
/// throws.
void write(level at, std::string_view message) noexcept;

/// Writes lines that are ready, newlines included, to the error log as they are, in one write(2): what
/// an application puts there itself.
void write_ready(std::string_view lines) noexcept;

/// Text from outside made safe for a log line: control bytes, newlines too, and bytes that are not
/// UTF-8 become `\xHH`, a backslash becomes two. The result is always one line.
[[nodiscard]] std::string escaped(std::string_view text);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(level::debug)) write(level::debug, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(level::info)) write(level::info, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(level::warning)) {
        write(level::warning, fmt::format(format, std::forward<Args>(args)...));
    }
}

template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(level::error)) write(level::error, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void critical(fmt::format_string<Args...> format, Args&&... args) {
    write(level::critical, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace unicoro::log
