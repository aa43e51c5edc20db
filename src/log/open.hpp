// SPDX-License-Identifier: MIT
#pragma once

#include "log/log.hpp"
#include "log/statsd_output.hpp"
#include "log/syslog_output.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace unicoro::log {

/// Where the logs go. Paths may be relative: they are resolved against the directory of the moment
/// of `open`, so a later chdir does not move them.
struct options {
    std::string errorlog = "-";            ///< path, "-" = stderr
    std::optional<std::string> accesslog;  ///< path, "-" = stdout; none = for a relay alone
    std::string access_log_format = R"(%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s")";
    level loglevel = level::info;
    bool capture_output = false;  ///< stdout and stderr go to `errorlog`, when that is a file
    bool keeps_stdout = true;     ///< apart from that; false = what the process was started with is let go
    std::optional<syslog_options> syslog;  ///< where both logs go beside their files; none = nowhere
    std::optional<statsd_options> statsd;  ///< who is told metrics; none = nobody
    std::optional<uid_t> owner;            ///< given files that are made
    std::optional<gid_t> group;
};

/// Opens both logs and takes the options into force. Returns why that was not possible, naming the
/// setting, the value and the remedy; everything stays as it was then. Called in the master before
/// the first fork, and again when the settings were read anew; the workers inherit the files.
[[nodiscard]] std::optional<std::string> open(const options& chosen);

/// Opens the files anew under the same names (SIGUSR1, after a rotation), and captures stdout and
/// stderr again. A file that cannot be opened stays the old one, and the error log says so.
void reopen() noexcept;

/// A file of the logs, open.
struct open_file {
    std::string path;
    int descriptor = -1;
};

/// Those there are, for workers that may not open them themselves. They stay ours.
[[nodiscard]] std::vector<open_file> open_files();

/// Goes on with a file that the master has opened anew, where it is one of ours.
void take_over(const open_file& opened) noexcept;

/// Lines for a pipe whose reader is slow wait in memory, up to a bound, and go out with the next ones: this
/// does the same, and reports what was lost. Whoever logs calls it now and then, or until it is true: nothing
/// waits any more.
bool flush_waiting() noexcept;

/// Gives slow readers half a second to take what waits, before the process ends or becomes another program.
void settle() noexcept;

/// Standard streams have become other files, or this is a fork of the server that goes on as a process of its
/// own: until then it may have to wait for a slow reader.
void follow_streams() noexcept;

/// What the logs have opened for this process alone: its children write to what was there before.
[[nodiscard]] std::vector<int> own_descriptors();

/// The descriptor error lines are written to. The number stays the same over `reopen`.
[[nodiscard]] int descriptor() noexcept;

}  // namespace unicoro::log
