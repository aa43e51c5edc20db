// SPDX-License-Identifier: MIT
#pragma once

#include "log/syslog_message.hpp"

#include <optional>
#include <string>

namespace unicoro::settings {

/// The logs on their way to syslog. Named as in the file.
struct syslog_settings {
    bool syslog = false;
    std::string syslog_addr = "udp://localhost:514";  ///< as log::parse_syslog_address reads it
    std::optional<std::string> syslog_prefix;         ///< none = the name of the process
    log::syslog_facility syslog_facility = log::syslog_facility::user;
    log::syslog_format syslog_format = log::syslog_format::rfc3164;
    bool disable_redirect_access_to_syslog = false;
};

/// gunicorn's metrics for StatsD. Named as in the file.
struct statsd_settings {
    std::optional<std::string> statsd_host;  ///< as log::parse_statsd_address reads it
    std::string statsd_prefix;
    std::string dogstatsd_tags;
    bool enable_backlog_metric = false;
};

}  // namespace unicoro::settings
